-- An operator gives a dead letter up, or with `orRefused` a refused message.
local message = read(a.key)
if not message then return answer('unknown-message') end
if message.state ~= 'dead' and not (a.orRefused and message.state == 'refused') then
  return answer(a.orRefused and 'not-failed' or 'not-dead', { state = message.state })
end
move(message, 'discarded')
withdraw(message)
note(a.key, { what = 'discarded', who = a.who })
audit('discard', a.key)
return answer('ok', { flow = message.flow, ticket = message.run })
