-- What an attempt has chosen, and how its calls ended, when no other script comes soon that carries it.
local _, refusal = held()
return refusal or answer('ok')
