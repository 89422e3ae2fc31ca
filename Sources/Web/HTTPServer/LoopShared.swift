import Platform

/// What the loops of one server have in common.
struct LoopShared {
  let configuration: ServerConfiguration
  let listener: ListeningSocket
  let pool: HandlerPool
  let responder: Responder
  let certificate: CurrentCertificate
  let connections: ClientCensus
  let streams: ClientCensus
  let bodies: BodyBudget

  init(
    _ configuration: ServerConfiguration, _ listener: ListeningSocket, _ pool: HandlerPool,
    _ responder: Responder, _ certificate: CurrentCertificate
  ) {
    self.configuration = configuration
    self.listener = listener
    self.pool = pool
    self.responder = responder
    self.certificate = certificate
    connections = .connections(configuration)
    streams = .streams(configuration)
    bodies = BodyBudget(bytesMax: configuration.bodiesBytesMax)
  }
}
