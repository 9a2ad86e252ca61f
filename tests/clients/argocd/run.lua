-- What Argo CD says of each object: run.lua HEALTH.LUA. Objects come as tables of Lua, one a line. Prints for each the health
-- and its message, separated by a tab. Argo CD runs the script with the object as the global `obj`.
local script = assert(loadfile(arg[1]))

for line in io.lines() do
  obj = assert(load("return " .. line))()
  local fine, result = pcall(script)
  if fine then
    print(tostring(result.status) .. "\t" .. tostring(result.message):gsub("%s*\n%s*", " "))
  else
    print("error\t" .. tostring(result))
  end
end
