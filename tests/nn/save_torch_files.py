"""Writes what torch.save makes of random weights, and beside each file what is in it.

usage: save_torch_files.py DIR SEED
  DIR/top.pth       a module's state_dict() (an OrderedDict with attributes)
  DIR/train.pth     state_dict, state_dict_ema, optimizer, scheduler, epoch, as the authors save them
  DIR/views.pth     transposed, sliced and shared tensors, parameters, a scalar, nothing
  DIR/code.pth      code that would run when Python loads it
  DIR/script.pt     a TorchScript program
  DIR/legacy.pth    the format before 1.6
  DIR/NAME.safetensors   the tensors of NAME.pth, contiguous; of train.pth with the section before
"""

import collections
import os
import sys

import torch
from safetensors.torch import save_file

TYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32,
         torch.int16, torch.int8, torch.uint8]


def draw(shape, kind=torch.float32):
    values = torch.randn(shape) * 50
    return values.to(kind)


def contiguous(tensors):
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


class Bomb:
    def __reduce__(self):
        return os.system, ("touch bomb-went-off",)


def main(directory, seed):
    os.chdir(directory)
    torch.manual_seed(seed)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5),
                                 torch.nn.Linear(7, 4))
    torch.save(module.state_dict(), "top.pth")
    save_file(contiguous(module.state_dict()), "top.safetensors")

    optimizer = torch.optim.AdamW(module[2].parameters(), lr=1e-4)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 10))
    module[2](draw((2, 7))).sum().backward()
    optimizer.step()
    scheduler.step()
    averaged = collections.OrderedDict((name, tensor.to(torch.bfloat16) if tensor.is_floating_point()
                                        else tensor) for name, tensor in module.state_dict().items())
    torch.save(dict(state_dict=module.state_dict(), state_dict_ema=averaged, epoch=3,
                    optimizer=optimizer.state_dict(), scheduler=scheduler.state_dict()), "train.pth")
    save_file({**contiguous({"state_dict/" + k: v for k, v in module.state_dict().items()}),
               **contiguous({"state_dict_ema/" + k: v for k, v in averaged.items()})},
              "train.safetensors")

    base = draw((6, 8))
    views = {"transposed": base.t(), "slice": base[1:5:2, 2:7:3], "shared": base.view(-1)[10:20],
             "parameter": torch.nn.Parameter(draw((3, 1, 2))), "scalar": draw(()),
             "empty": torch.zeros((0, 3)), "permuted": draw((2, 3, 4, 5)).permute(3, 0, 2, 1)}
    views.update({"type" + str(i): draw((3, 2), kind) for i, kind in enumerate(TYPES)})
    views["truth"] = torch.tensor([True, False, True])
    torch.save(views, "views.pth")
    save_file(contiguous(views), "views.safetensors")
    torch.save(views, "views-4.pth", pickle_protocol=4)

    torch.save({"weight": draw((2,)), "more": Bomb()}, "code.pth")
    torch.jit.script(torch.nn.Linear(2, 2)).save("script.pt")
    torch.save(views, "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"repeated": torch.zeros(1).expand(1 << 20)}, "repeated.pth")
    torch.save({"epoch": 3}, "none.pth")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
