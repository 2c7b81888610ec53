-- A connection answered to something that is no effect, such as the listing of a directory.
reached(a.connection)
return answer('ok')
