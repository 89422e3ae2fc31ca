extension TrainSpecification {
  /// Every field by name; `parse` reads it back as an equal value.
  package var json: JSON {
    [
      "preset": .string(preset.rawValue),
      "dataset": [
        "name": .string(dataset.name), "split": .string(dataset.split.rawValue),
        "limit": .optional(dataset.limit),
      ],
      "image_size": .optional(imageSize),
      "encoder": encoder.json,
      "projector": [
        "widths": .array(projector.widths.map(JSON.integer)), "last_bias": .bool(projector.lastBias),
      ],
      "loss": loss.json,
      "convolution": .string(convolution.rawValue),
      "augmentation": augmentation.json,
      "optimizer": optimizer.json,
      "schedule": [
        "name": .string(schedule.name.rawValue), "warmup_epochs": .number(schedule.warmupEpochs),
        "final_factor": .number(schedule.finalFactor),
      ],
      "epochs": .integer(epochs),
      "max_steps": .optional(maxSteps),
      "batch_size": .integer(batchSize),
      "shuffle": .bool(shuffle),
      "drop_last": .bool(dropLast),
      "seed": .integer(Int(seed)),
      "checkpoint": [
        "every_epochs": .integer(checkpoint.everyEpochs), "initial": .bool(checkpoint.initial),
        "keep_last": .integer(checkpoint.keepLast), "keep_every": .optional(checkpoint.keepEvery),
        "keep_best": checkpoint.keepBest?.json ?? .null,
      ],
      "divergence": [
        "policy": .string(divergence.policy.rawValue), "lr_factor": .number(divergence.factor),
        "max_rollbacks": .integer(divergence.maxRollbacks),
      ],
      "log_every_steps": .integer(logEverySteps),
    ]
  }
}

extension KeepBest {
  fileprivate var json: JSON {
    ["metric": .string(metric), "mode": .string(mode.rawValue), "count": .integer(count)]
  }
}

extension EncoderSpecification {
  /// Every field by name.
  package var json: JSON {
    [
      "arch": .string(architecture.rawValue), "width": .integer(width), "stem": .string(stem.rawValue),
      "stem_padding": .integer(stemPadding), "stem_bias": .bool(stemBias), "fc": .optional(fc),
      "zero_init_residual": .bool(zeroInitResidual),
    ]
  }
}

extension LossSpecification {
  fileprivate var json: JSON {
    [
      "inv": .number(inv), "var": .number(self.var), "cov": .number(cov), "gamma": .number(gamma),
      "epsilon": .number(epsilon), "variance": .string(variance.rawValue),
      "batch_norm": .string(batchNorm.rawValue),
    ]
  }
}

extension AugmentationSpecification {
  fileprivate var json: JSON {
    guard case .random(let recipe) = self else { return "mirror" }
    func pair(_ numbers: [Double]) -> JSON { .array(numbers.map(JSON.number)) }
    return [
      "crop_scale": pair(recipe.cropScale), "crop_ratio": pair(recipe.cropRatio),
      "antialias": .bool(recipe.antialias), "flip_probability": .number(recipe.flipProbability),
      "jitter_probability": .number(recipe.jitterProbability), "brightness": .number(recipe.brightness),
      "contrast": .number(recipe.contrast), "saturation": .number(recipe.saturation),
      "hue": .number(recipe.hue),
      "grayscale_probability": .number(recipe.grayscaleProbability),
      "blur_probability": pair(recipe.blurProbability), "blur_kernel": .integer(recipe.blurKernel),
      "blur_sigma": pair(recipe.blurSigma), "solarize_probability": pair(recipe.solarizeProbability),
      "solarize_threshold": .number(recipe.solarizeThreshold),
    ]
  }
}

extension OptimizerSpecification {
  fileprivate var json: JSON {
    [
      "name": .string(name.rawValue), "lr": .number(learningRate), "betas": .array(betas.map(JSON.number)),
      "eps": .number(epsilon), "weight_decay": .number(weightDecay), "momentum": .number(momentum),
      "trust": .number(trust), "clip": .bool(clip), "exclude_bias_and_norm": .bool(excludeBiasAndNorm),
    ]
  }
}
