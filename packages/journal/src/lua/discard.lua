-- An operator gives a dead letter up.
local message = read(a.key)
if not message then return cjson.encode({ kind = 'unknown-message' }) end
if message.state ~= 'dead' then return cjson.encode({ kind = 'not-dead', state = message.state }) end
move(message, 'discarded')
withdraw(message)
note(a.key, { what = 'discarded', who = a.who })
audit('discard', a.key)
return cjson.encode({ kind = 'ok', flow = message.flow, ticket = message.run })
