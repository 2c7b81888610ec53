/** The least that an installation file must hold, with one DACS. */
export const minimalInstallation = (dacsUrl: string, name = 'events-test'): string => `
installation: { name: ${name}, environment: test }
ingress:
  clients:
    - { name: derms, flows: [stage-status], credentials: [{ basic: { username: derms, password: in } }] }
connections:
  DACS_MAIN: { kind: dacs, baseUrl: "${dacsUrl}/rest/apis", auth: none }
`
