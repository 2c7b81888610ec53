import { startDacsSimulator, startDermsSimulator } from '@tieline/simulators/start'
import { credentials } from '@tieline/testkit/installation'
import { openPipeline } from './use-pipeline.ts'

/** What Routing says: the south has no instance of its own, and nobody serves division XX. */
const routing = `DRMS_Instance,DRMS_Site_Connection,DACS_CIS_Division,DACS_Connection
SITE1,DERMS_NORTH,CA,DACS_NORTH
,DERMS_SOUTH,NV,DACS_SOUTH
`

/** A pipeline between two DACS and two DERMS, which only the Routing lookup tells apart. */
export async function startTwoSites() {
  await using parts = new AsyncDisposableStack()
  const dacs = { auth: { basic: credentials.dacsTarget }, acceptUnknown: true }
  const derms = { auth: { basic: credentials.dermsTarget } }
  const dacsNorth = parts.use(await startDacsSimulator(dacs))
  const dacsSouth = parts.use(await startDacsSimulator(dacs))
  const dermsNorth = parts.use(await startDermsSimulator(derms))
  const dermsSouth = parts.use(await startDermsSimulator(derms))
  const toDacs = { kind: 'dacs', auth: { basic: credentials.dacsTarget } }
  const toDerms = { kind: 'derms', auth: { basic: credentials.dermsTarget } }
  const connections = {
    DACS_NORTH: { ...toDacs, baseUrl: `${dacsNorth.url}/tenant/test/dac/rest/apis` },
    DACS_SOUTH: { ...toDacs, baseUrl: `${dacsSouth.url}/tenant/test/dac/rest/apis` },
    DERMS_NORTH: { ...toDerms, baseUrl: `${dermsNorth.url}/nms-drms/rest/v1` },
    DERMS_SOUTH: { ...toDerms, baseUrl: `${dermsSouth.url}/nms-drms/rest/v1` },
  }
  const pipeline = parts.use(await openPipeline({ sections: { connections }, lookups: { Routing: routing } }))
  const owned = parts.move()
  return {
    pipeline,
    north: { dacs: dacsNorth.simulator, derms: dermsNorth.simulator },
    south: { dacs: dacsSouth.simulator, derms: dermsSouth.simulator },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
