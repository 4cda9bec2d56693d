"""All parts that learn from the video, as the small model has them."""

LEARNING = [
    dict(type='BoxCalibration'),
    dict(type='CorrelationFilter'),
    dict(type='RidgeBoxRegressor'),
    dict(type='DistractorAssociation'),
    dict(type='TargetPresence'),
    dict(type='MotionPrediction')
]
