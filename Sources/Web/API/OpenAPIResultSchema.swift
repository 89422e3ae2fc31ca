import JSONText

extension OpenAPIDocument {
  /// What an embedding made; the numbers are in its artifacts.
  static let embedResult = described(
    [
      "images": about("Rows of `embeddings.npy`.", count),
      "dimension": about("Columns of `embeddings.npy`.", count),
      "layer": about("Whose output describes an image.", text),
      "dataset": about("What was embedded.", text),
      "split": about("The part of the dataset.", text),
      "classes": list("The names of the labels of `labels.npy`; empty: all are -1.", of: text),
      "isa": about("Instruction set of the worker.", text),
      "dataset_digest": about("SHA-256 of the images and labels, in hexadecimal digits.", text),
      "checkpoint_sha256": about("SHA-256 of the checkpoint, in hexadecimal digits.", textOrNull),
    ], optional: ["dataset_digest", "checkpoint_sha256"])

  /// What an evaluation found. Results of earlier versions have fewer members.
  static let result = described(
    [
      "protocol": about("How it was evaluated.", text),
      "features": about("What the head was trained on.", text),
      "feature_layer": about("The layer that was evaluated, by its name in the encoder.", text),
      "layer": about("The layer that was evaluated.", text),
      "preset": about("The recipe of the training; a model has none.", text),
      "method": about("The method of the training; a model has none.", text),
      "model": about("The model that was evaluated, if it was one.", text),
      "isa": about("Instruction set of the worker.", text),
      "train_images": about("Images whose labels were used, with one seed.", count),
      "test_images": about("Images that it was tested on.", count),
      "label_share": about("Share of the training images whose labels were used.", fraction),
      "seeds": about("Seeds that it was repeated with.", count),
      "seconds": about("Seconds that the evaluation ran, all attempts together.", seconds),
      "dataset": about("What it was evaluated on.", text),
      "top1": about("Accuracy on the test images, as a fraction; the mean over the seeds.", fraction),
      "top1_std": about(
        "Standard deviation of top1 over the seeds, with n - 1; null: there is one seed.", numberOrNull),
      "top1_interval": list(
        """
        95% interval of top1, low and high: Student's of the mean over the seeds, or with one seed Wilson's, \
        of a share of the test images.
        """, of: fraction),
      "top5": about(
        "Share of the test images whose class is among the five with the highest scores.", fraction),
      "train_top1": about("Accuracy on the labelled training images, as a fraction.", fraction),
      "per_class": list("In the order of the labels, all seeds together.", of: perClass),
      "confusion": about(
        """
        Test images by their class (rows) and by the class that they were taken for, all seeds together; \
        null: there are over 100 classes, and the artifact has it.
        """, ["type": ["array", "null"], "items": list("A class.", of: count)]),
      "runs": list("What each seed gave.", of: run),
      "verdict": about("Whether the encoder beats each baseline beyond the 95% interval, for people.", text),
      "metric": about("With knn: what makes two images near, cosine or whitened.", text),
      "ridge": about("Strength of the L2 penalty that was chosen, with the first seed.", number),
      "iterations": about("Iterations until convergence, with the first seed.", count),
      "dataset_digest": about("SHA-256 of the images and labels, in hexadecimal digits.", text),
      "checkpoint_sha256": about(
        "SHA-256 of the checkpoint, in hexadecimal digits; null: it has none.", textOrNull),
      "baselines": about("The same evaluation of other features.", baselines(fraction)),
      "lead": about(
        """
        How far the encoder is ahead of each baseline, test image by test image, with the 95% interval of \
        the mean over the images, or over the seeds if that is wider.
        """, baselines(lead)),
    ],
    optional: [
      "baselines", "checkpoint_sha256", "confusion", "dataset_digest", "isa", "iterations", "label_share",
      "layer", "lead", "method", "metric", "model", "per_class", "preset", "ridge", "runs", "seconds",
      "seeds",
      "test_images",
      "top1_interval",
      "top1_std", "top5", "train_images", "train_top1", "verdict",
    ])

  private static func baselines(_ schema: JSON) -> JSON {
    described([
      "raw_pixels": about("Of raw pixels.", schema), "untrained": about("Of the untrained encoder.", schema),
    ])
  }

  private static let lead = described([
    "difference": about("Difference of the accuracies, as a fraction.", number),
    "interval": list("95% interval, low and high.", of: number),
  ])

  private static let perClass = described([
    "class": about("Its name.", text), "images": about("Its test images.", count),
    "top1": about("Share of them that is classified rightly; null: it has none.", numberOrNull),
  ])

  private static let run = described(
    [
      "seed": about("The seed.", count), "top1": about("Accuracy on the test images.", fraction),
      "top5": about("As in the result.", fraction), "train_top1": about("As in the result.", fraction),
      "ridge": about("As in the result.", number), "iterations": about("As in the result.", count),
      "raw_pixels": about("Accuracy of raw pixels.", fraction),
      "untrained": about("Accuracy of the untrained encoder.", fraction),
    ], optional: ["iterations", "raw_pixels", "ridge", "untrained"])
}
