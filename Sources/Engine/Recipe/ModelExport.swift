/// A file format of other programs in which a model is handed out.
package enum ExportFormat: String, Sendable, CaseIterable {
  /// Tensors by the names of a PyTorch state dict, not compressed.
  case safetensors
  /// The network with its weights in eval mode, as a graph of ONNX operators.
  case onnx
}

/// How much of a model is handed out.
package enum ExportPart: String, Sendable, CaseIterable {
  /// The encoder alone, by torchvision's names.
  case encoder
  /// Everything that a step changes but the optimiser's state: the encoder, and the parts of the method.
  case all
}
