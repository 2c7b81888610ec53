import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Asked right before a request leaves; undefined when it surely may. A rejection says that it must not be made any more, and
 * comes back to who wanted the call.
 */
export type MayCall = () => Promise<void> | undefined

const asked = new AsyncLocalStorage<MayCall>()

/**
 * Every request that `work` makes asks first. Between the intention to call a target and the request may lie waits for a free
 * slot, a token and a connection, and a process may stand still.
 */
export const askingFirst = <T>(mayCall: MayCall, work: () => Promise<T>): Promise<T> => asked.run(mayCall, work)

/** For clients of targets: whom to ask. */
export const whomToAsk = (): MayCall | undefined => asked.getStore()
