-- Before a call on a target: hands out what an earlier call confirmed, or marks the effect as being sent.
local message, refusal = held('generation')
if not message then return refusal end

local effect = readEffect(a.key, a.effect) or { tries = 0, repeats = 0, unknown = 0 }
local generation = tonumber(message.generation)
if effect.state == 'confirmed' or (effect.state == 'refused' and effect.generation == generation) then
  markAnswered(message)
  return answer('kept', { state = effect.state, result = effect.result })
end
local repeated = effect.state == 'sending' and effect.call == a.call
if not repeated then
  if effect.state == 'sending' then
    -- Whoever sent it never came back to say how it ended.
    effect.unknown = 1
    if not a.quiet then note(a.key, { what = 'effect', effect = a.effect, state = 'unknown', code = 'crash' }) end
  end
  if effect.state == 'refused' then effect.unknown = 0 end
  effect.tries = effect.tries + 1
  effect.repeats = effect.repeats + effect.unknown
end
writeEffect(a.key, a.effect, {
  state = 'sending', tries = effect.tries, repeats = effect.repeats, unknown = effect.unknown, generation = generation,
  at = a.now, operation = a.operation, connection = a.connection, call = a.call,
})
watch(a.key, a.now + watchMs)
return answer('send', { unknown = effect.unknown == 1, tries = effect.tries })
