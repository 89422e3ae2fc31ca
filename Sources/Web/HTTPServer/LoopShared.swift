import HTTP
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

  /// What the machine of a connection asks its loop for.
  ///
  /// - Parameter memory: the loop's own answers.
  func services(for client: ClientIdentity, _ memory: AnswerMemory) -> ConnectionMachine.Services {
    let (responder, bodies) = (responder, bodies)
    return ConnectionMachine.Services(
      recall: memory.answer(to:), bodyLimit: { responder.limits(of: $0.request(body: [])).body },
      wantsReports: configuration.accessLog != nil, asksForAdmission: responder.asksForAdmission,
      reservation: { BodyReservation(bodies, network: client.network) },
      refusal: { responder.refusal($0, to: $1, closes: true) })
  }
}
