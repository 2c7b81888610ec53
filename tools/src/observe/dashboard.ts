import { messageRows } from './message-rows.ts'
import { layOut } from './panels.ts'
import { surroundingsRows } from './surroundings-rows.ts'

/** `deploy/observe/dashboards/tieline.json`: what an operator looks at first, from the most to the least urgent. */
export const dashboard = (): object => ({
  uid: 'tieline',
  title: 'Tieline',
  tags: ['tieline'],
  timezone: 'browser',
  editable: true,
  schemaVersion: 39,
  version: 1,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: { list: [{ type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus' }] },
  annotations: { list: [] },
  panels: layOut([...messageRows, ...surroundingsRows]),
})
