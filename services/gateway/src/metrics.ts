import { Counter, Gauge, type Registry } from 'prom-client'

export interface AgentState {
  readonly name: string
  readonly sessions: number
}

export const createGatewayMetrics = (register: Registry, states: () => readonly AgentState[]) => {
  new Gauge({
    name: 'tieline_gateway_agents',
    help: 'Agents that are connected, by name; 0: no connection through it is possible.',
    labelNames: ['agent'] as const,
    registers: [register],
    collect() {
      for (const { name, sessions } of states()) this.set({ agent: name }, sessions)
    },
  })
  return {
    connections: new Counter({
      name: 'tieline_gateway_connections_total',
      help: 'Connections that workers asked for. Status: 200 carried, 403 not on the list of the agent, 502 and 504 target not reached, 503 no agent.',
      labelNames: ['agent', 'status'] as const,
      registers: [register],
    }),
  }
}
