"""ONNX files: read onto torch's own modules by a table of operators, with the names that the file's nodes have."""

from layerscope.models.onnx.loading import onnx_network

__all__ = ["onnx_network"]
