"""The package's operators as what ONNX has standard ones for."""
