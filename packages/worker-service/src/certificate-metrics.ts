import { Gauge, type Registry } from 'prom-client'

export type CertificateGauge = Gauge<'kind' | 'name'>

export const createCertificateGauge = (register: Registry): CertificateGauge =>
  new Gauge({
    name: 'tieline_certificate_expiry_timestamp_seconds',
    help: 'When a certificate ends. Kind: listener (ours, that callers see), client (ours, that a target sees), target (as its TLS handshake shows it). Name: ingress, console, bills, mail (smtps), or the connection; of several the first that ends. Looked at every hour; the last known while it cannot be looked at.',
    labelNames: ['kind', 'name'] as const,
    registers: [register],
  })
