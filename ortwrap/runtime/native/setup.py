"""Compiles the kernels of this folder against the installed torch: `python setup.py build_ext`.

Run by `ortwrap.runtime.extensions`, as the setup scripts that come with ORTModule are.
"""

import os
import sys

from setuptools import setup
from torch.utils import cpp_extension

_HERE = os.path.dirname(os.path.abspath(__file__))

setup(
    name="ortwrap_kernels",
    ext_modules=[
        cpp_extension.CppExtension(
            name="ortwrap_kernels",
            sources=[os.path.join(_HERE, "dropout.cc")],
            extra_compile_args={"cxx": [] if sys.platform == "win32" else ["-O3"]},
        )
    ],
    cmdclass={"build_ext": cpp_extension.BuildExtension},
)
