-- The launcher runs in KOReader's LuaJIT; its tests, the bench and the player run in a plain one.
std = "luajit"
max_line_length = 120
self = false
ignore = { "21[13]/_%a+" } -- a name that begins with _ says that its value is not wanted
files["device/launcher"] = { read_globals = { "G_reader_settings" } }
-- The fake KOReader owns the clock, the shell, the disk and the processor.
files["tests/launcher"] = { globals = { "G_reader_settings", "os", "io", "jit" } }
