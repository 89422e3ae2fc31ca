import Datasets
import Images
import JSONText
import Platform
import Recipe
import RunFolder
import Training

extension Run {
  /// Writes `views.png`: the first images of step 1 with the views that it sees of them.
  func storeViews(_ training: Pretraining) throws {
    let sheet = try training.viewSheet()
    let bytes = try encodePNG(sheet.pixels, width: sheet.width, height: sheet.height, channels: 3)
    try store("views.png", mediaType: "image/png") { try $0(bytes) }
  }

  /// The files of the evaluations of earlier attempts. Ones that are missing or damaged begin anew: the run
  /// is worth more than they are.
  func layouts() -> LayoutFiles {
    let name = RunReporter.spectrumName
    guard folder.artifacts.manifest(of: name) != nil else { return LayoutFiles() }
    do {
      let text = try File.content(of: folder.artifacts.path(of: name), .spectrum)
      return LayoutFiles(after: try JSON.parse(text))
    } catch {
      log.warning("\(name) cannot be read and begins anew: \(error)")
      return LayoutFiles()
    }
  }

  /// Says which images a training holds back.
  func logSplit(_ specification: TrainSpecification, _ dataset: ImageDataset) {
    let trained = specification.trainedCount(of: dataset.count)
    guard let online = specification.online else {
      log.info("trains on all \(trained) images: none are held back, so there is no online evaluation")
      return
    }
    log.info(
      "trains on \(trained) images; the other \(dataset.count - trained) are held back for the online "
        + "evaluation"
    )
    if online.probe || online.knn, dataset.labels == nil || dataset.classes.count < 2 {
      log.info("the images have no labels of two classes: there is no online probe and no online kNN")
    }
  }

  /// Says what the online evaluation has taken.
  func logTime(_ training: Pretraining) {
    guard let time = training.onlineTime else { return }
    log.info(
      "online evaluation: \(shortText(Double(time.evaluations) / 1e9)) s between the steps, "
        + "\(shortText(Double(time.probe) / 1e9)) s for the probe within them")
  }
}
