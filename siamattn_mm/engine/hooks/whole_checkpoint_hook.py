"""Checkpoints that are complete whenever the run is killed."""
import glob
import logging
import os
import os.path as osp

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmtrack.registry import HOOKS

from siamattn_mm.utils import written_whole


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """mmengine's hook, but there is a good checkpoint at every moment.

    mmengine removes the oldest checkpoint, writes the new one under its final
    name, and then overwrites ``last_checkpoint``: a run that is killed in
    between cannot be resumed. Here the new one is written under another name
    and renamed, then ``last_checkpoint`` likewise, and only then the oldest
    is removed. (On a remote file system objects appear whole anyway.)

    Args:
        *args: As for ``CheckpointHook``.
        **kwargs: As for ``CheckpointHook``.
    """

    def before_train(self, runner: Runner) -> None:
        """Prepare, and say what cannot be resumed exactly.

        Args:
            runner (Runner): Its optimizer wrapper may accumulate gradients.
        """
        super().before_train(runner)
        self._remove_left_overs()
        period = self.interval
        if self.by_epoch:
            period *= len(runner.train_dataloader)
        counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if period > 0 and period % counts:
            print_log(
                f'checkpoints every {period} iterations fall between two '
                f'steps of the optimizer, of which there is one every '
                f'{counts}: gradients gathered till then are not saved, so '
                'resuming is not exact',
                logger='current',
                level=logging.WARNING)

    def _remove_left_overs(self) -> None:
        """Remove checkpoints that a killed run was writing."""
        if not isinstance(self.file_backend,
                          LocalBackend) or not is_main_process():
            return
        pattern = osp.join(glob.escape(self.out_dir), '.*.pth.part')
        for path in glob.glob(pattern):
            os.remove(path)

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        outdated = None
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated = self.keep_ckpt_ids.popleft()
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids',
                                           list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)

        local = isinstance(self.file_backend, LocalBackend)
        # The same name in every attempt: what a kill leaves is overwritten.
        written = f'.{name}.part' if local else name
        runner.save_checkpoint(
            self.out_dir,
            written,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args)
        if not is_main_process():
            return
        if local:
            os.replace(osp.join(self.out_dir, written), self.last_ckpt)
        pointer = osp.join(runner.work_dir, 'last_checkpoint')
        with written_whole(pointer) as path, open(path, 'w') as file:
            file.write(self.last_ckpt)
        if outdated is not None:
            old = self.file_backend.join_path(
                self.out_dir, self.filename_tmpl.format(outdated))
            if self.file_backend.isfile(old):
                self.file_backend.remove(old)
