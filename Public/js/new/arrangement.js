// What a JSON Schema does not say about a form: names for people, groups and their order, which fields are
// used often, and a few conditions that the daemon checks without describing them. A field that is missing
// here is shown under its key, in the last group.
import { words } from "../core/format.js";

const names = {
  "/spec/preset": "Preset", "/spec/method": "Method", "/spec/dataset/name": "Dataset",
  "/spec/dataset/limit": "Images at most", "/spec/dataset/split": "Split", "/spec/image_size": "Image size",
  "/spec/init_from": "Begin with", "/spec/encoder/arch": "Architecture",
  "/spec/encoder/fc": "Final linear layer",
  "/spec/encoder/zero_init_residual": "Start residuals at 0", "/spec/projector/widths": "Projector widths",
  "/spec/projector/hidden_bias": "Projector: hidden bias",
  "/spec/projector/last_bias": "Projector: last bias",
  "/spec/projector/last_batch_norm": "Projector: last BatchNorm", "/spec/predictor": "Predictor",
  "/spec/predictor/widths": "Predictor widths", "/spec/predictor/hidden_bias": "Predictor: hidden bias",
  "/spec/predictor/last_bias": "Predictor: last bias",
  "/spec/predictor/last_batch_norm": "Predictor: last BatchNorm",
  "/spec/loss/inv": "Invariance weight", "/spec/loss/var": "Variance weight",
  "/spec/loss/cov": "Covariance weight",
  "/spec/loss/batch_norm": "BatchNorm statistics", "/spec/loss/momentum_end": "Momentum at the end",
  "/spec/local_views/size": "Size of local views", "/spec/local_views/count": "Number of local views",
  "/spec/local_views/crop_scale": "Crop scale of local views", "/spec/augmentation": "Augmentation",
  "/spec/augmentation/grayscale_probability": "Greyscale probability", "/spec/optimizer/name": "Optimiser",
  "/spec/optimizer/lr": "Learning rate", "/spec/optimizer/eps": "Epsilon of the optimiser",
  "/spec/optimizer/momentum": "Momentum of the optimiser",
  "/spec/optimizer/exclude_bias_and_norm": "Exclude bias and norm",
  "/spec/optimizer/clip": "Clip the trust ratio", "/spec/schedule/name": "Schedule",
  "/spec/optimizer/trust": "Trust coefficient", "/spec/schedule/warmup_epochs": "Warm-up epochs",
  "/spec/schedule/final_factor": "Final share of the rate",
  "/spec/schedule/horizon_epochs": "Schedule spans epochs",
  "/spec/checkpoint/every_epochs": "Epochs between checkpoints",
  "/spec/checkpoint/initial": "Also before step 1",
  "/spec/checkpoint/keep_last": "Newest checkpoints kept",
  "/spec/checkpoint/keep_every": "Also keep every N epochs",
  "/spec/checkpoint/keep_best": "Keep the best checkpoints",
  "/spec/checkpoint/keep_best/count": "Best checkpoints kept",
  "/spec/checkpoint/keep_best/metric": "Best by metric", "/spec/checkpoint/keep_best/mode": "Best is",
  "/spec/online": "Evaluate while it trains", "/spec/online/every_epochs": "Epochs between evaluations",
  "/spec/online/probe": "Linear probe", "/spec/online/knn": "Nearest neighbours (kNN)",
  "/spec/online/holdout": "Share held back", "/spec/divergence/policy": "On divergence",
  "/spec/divergence/max_rollbacks": "Rollbacks at most",
  "/spec/divergence/lr_factor": "Rate after a rollback",
  "/spec/log_every_steps": "Steps between metric lines", "/spec/checkpoint": "Checkpoint or model",
  "/spec/label_share": "Share of the labels", "/spec/seeds": "Repeat with N seeds",
  "/spec/features": "Features", "/spec/epochs": "Epochs", "/spec/max_steps": "Max steps",
  "/spec/baselines": "Baselines", "/spec/mirror": "Average with the mirror image",
  "/spec/knn/k": "Neighbours (k)", "/spec/knn/metric": "Distance",
  "/spec/knn/temperature": "Temperature of kNN",
  "/spec/finetune/backbone_lr": "Learning rate of the network",
  "/spec/finetune/head_lr": "Learning rate of the head",
  "/spec/finetune/batch_size": "Batch size of fine-tuning",
  "/spec/finetune/momentum": "Momentum of fine-tuning",
  "/spec/finetune/weight_decay": "Weight decay of fine-tuning", "/max_duration_seconds": "Seconds at most",
  "/max_attempts": "Attempts at most", "/needs": "Waits for jobs",
  "/on_dependency_failure": "If one of them fails",
  "/search/name": "Searcher", "/search/seed": "Seed of the search", "/objective/metric": "Objective",
  "/objective/mode": "Better is", "/early_stopping": "Early stopping", "/early_stopping/name": "Rule",
  "/early_stopping/reduction_factor": "Reduction factor",
  "/early_stopping/min_epochs": "Epochs of the first rung",
  "/early_stopping/max_epochs": "Epochs of the longest training", "/evaluate": "Evaluate each training",
  "/then-evaluate": "Then evaluate it", "/then/spec/protocol": "Protocol of the evaluation",
  "/seeds": "Seeds per trial", "/max_trials": "Trials at most", "/max_concurrent": "Trials at a time",
  "/max_failed": "Failed trials at most", "/path": "Path on the server", "/side": "Side of the images",
  "/test_share": "Share for testing", "/on_bad_image": "On a bad image", "/seed": "Seed",
};

/** The prefixes below which a specification stands, in a sweep. */
const specifications = /^\/(base\/spec|evaluate)(?=\/)/;

/** What a field is called. */
export function nameOf(pointer) {
  const key = pointer.replace(specifications, "/spec");
  const own = names[pointer] ?? names[key];
  if (own) return own;
  const text = words(pointer.split("/").pop());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * The groups of a form by the beginning of a pointer; `often` are shown in this order, the others are folded
 * away. `above` groups have no fold.
 */
const trainGroups = (at) => [
  { title: "Dataset", of: ["dataset", "image_size", "shuffle", "drop_last"],
    often: ["dataset/name", "dataset/limit", "image_size"] },
  { title: "Method and loss", of: ["method", "loss"],
    often: ["method", "loss/inv", "loss/var", "loss/cov", "loss/gamma", "loss/lambda", "loss/scale",
      "loss/temperature", "loss/momentum", "loss/momentum_end", "loss/slices", "loss/points"] },
  { title: "Network", of: ["encoder", "projector", "predictor", "init_from", "convolution"],
    often: ["encoder/arch", "encoder/width", "encoder/stem", "projector/widths", "predictor/widths",
      "init_from"] },
  { title: "Views and augmentation", of: ["views", "local_views", "augmentation"],
    often: ["views", "augmentation", "augmentation/crop_scale", "augmentation/blur_probability",
      "augmentation/solarize_probability", "augmentation/grayscale_probability", "local_views",
      "local_views/count", "local_views/size", "local_views/crop_scale"] },
  { title: "Optimiser and schedule", of: ["optimizer", "schedule"],
    often: ["optimizer/name", "optimizer/lr", "optimizer/weight_decay", "schedule/name",
      "schedule/warmup_epochs"] },
  { title: "Length and checkpoints", of: ["epochs", "max_steps", "batch_size", "seed", "checkpoint"],
    often: ["epochs", "batch_size", "max_steps", "seed", "checkpoint/every_epochs", "checkpoint/keep_last"] },
  { title: "While it trains", of: ["online", "log_every_steps", "divergence"],
    often: ["online", "divergence/policy", "log_every_steps"] },
].map((group) => ({
  ...group, of: group.of.map((key) => `${at}/${key}`), often: group.often.map((key) => `${at}/${key}`),
}));

const jobGroup = {
  title: "Job", of: ["/labels", "/notes", "/priority", "/max_attempts", "/max_duration_seconds", "/needs",
    "/on_dependency_failure"],
  often: ["/labels", "/priority"],
};

export const groupsOf = {
  train: [{ title: "", of: ["/name", "/spec/preset"], often: ["/spec/preset", "/name"] },
    ...trainGroups("/spec"), jobGroup],
  evaluate: [
    { title: "", of: ["/name"], often: ["/name"] },
    { title: "What", of: ["/spec/checkpoint", "/spec/dataset"],
      often: ["/spec/checkpoint", "/spec/dataset/name", "/spec/dataset/limit"] },
    { title: "How", of: ["/spec"],
      often: ["/spec/protocol", "/spec/layer", "/spec/label_share", "/spec/seeds", "/spec/epochs",
        "/spec/features",
        "/spec/knn/k", "/spec/knn/temperature", "/spec/finetune/backbone_lr", "/spec/finetune/head_lr",
        "/spec/seed", "/spec/baselines"] },
    jobGroup,
  ],
  embed: [
    { title: "", of: ["/name"], often: ["/name"] },
    { title: "What", of: ["/spec"],
      often: ["/spec/checkpoint", "/spec/dataset/name", "/spec/split", "/spec/layer",
        "/spec/dataset/limit"] },
    jobGroup,
  ],
  import: [{ title: "Source", of: ["/name", "/path"], often: ["/path", "/name"] },
    { title: "Images", of: [""], often: ["/side", "/fit", "/on_bad_image", "/test_share", "/seed"] }],
  sweep: [
    { title: "", of: ["/name"], often: ["/name"] },
    { title: "Search space", of: ["/space"], often: ["/space"] },
    { title: "Search", of: ["/search", "/objective", "/max_trials", "/seeds", "/max_concurrent",
      "/max_failed",
      "/max_duration_seconds"],
      often: ["/search/name", "/objective/metric", "/objective/mode", "/max_trials", "/seeds"] },
    { title: "Early stopping", of: ["/early_stopping"],
      often: ["/early_stopping", "/early_stopping/min_epochs",
      "/early_stopping/max_epochs", "/early_stopping/reduction_factor"] },
    { title: "Evaluation of each training", of: ["/evaluate"], often: ["/evaluate", "/evaluate/protocol",
      "/evaluate/layer", "/evaluate/label_share", "/evaluate/knn/k"] },
    { title: "The training", of: ["/base/spec/preset"], often: ["/base/spec/preset"] },
    ...trainGroups("/base/spec"),
    { title: "Jobs", of: ["/labels", "/notes", "/priority"], often: ["/labels", "/priority"] },
  ],
};

/** Conditions that the daemon checks and its descriptions do not say, by pointers in a specification. */
const linear = ["linear", "linear-seed", "linear-official"];
const further = {
  "/spec/local_views": ["/spec/method", ["vicreg", "barlow-twins", "sigreg"]],
  "/spec/predictor": ["/spec/method", ["byol", "simsiam"]],
  "/spec/encoder/stem_padding": ["/spec/encoder/stem", ["cifar"]],
  "/spec/encoder/stem_bias": ["/spec/encoder/stem", ["cifar"]],
  "/spec/features": ["/spec/protocol", linear],
  "/spec/epochs": ["/spec/protocol", [...linear, "finetune"]],
};

/** The further conditions of a field, and of the objects that it is in. */
export function furtherConditions(pointer) {
  const [, prefix = "/spec"] = pointer.match(/^(\/base\/spec|\/evaluate|\/spec)(?=\/)/) ?? [];
  const key = pointer.replace(prefix, "/spec");
  return Object.entries(further)
    .filter(([place]) => key === place || key.startsWith(`${place}/`))
    .map(([, [owner, values]]) => ({ pointer: owner.replace("/spec", prefix), values, isNot: false }));
}
