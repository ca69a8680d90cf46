--- The same with a real shell and real processes: what the command line of the launcher does to a program.
--
-- The "worker" is a shell script; time is real, and every wait has an end.

local Check = require("check")
local Fake = require("fake_koreader")
local lfs = require("lfs")

local test, equal, matches = Check.test, Check.equal, Check.matches

local WAIT_LIMIT_S = 10

--- A KOReader in a folder with an awkward name, with that script as its worker.
local function koreader(folder, script)
    local root = folder .. "/it's a book"
    assert(lfs.mkdir(root))
    assert(lfs.mkdir(root .. "/bin"))
    local world, front_end = Check.koreader(folder, function(world)
        world.real_processes = true
        world.root, world.data_dir = root, root
        world.environment.BOOKLORESYNC_BIN_DIR = root .. "/bin"
        if script then Check.write(root .. "/bin/booklore-sync-x86_64", "#!/bin/sh\n" .. script) end
    end)
    return world, front_end, root
end

--- Lets the launcher's scheduled tasks run in real time until `done` or the limit.
local function wait(world, done)
    local limit = Fake.real.time() + WAIT_LIMIT_S
    while not done() do
        assert(Fake.real.time() <= limit, "nothing happened in time")
        Fake.real.execute("sleep 0.05")
        world:pass(0.05)
    end
end

local function size(path)
    return lfs.attributes(path, "size") or 0
end

-- $1 verb, $3 data folder, $5 job file
local ANSWER = [[
result="$3/results/$(basename "$5")"
printf '{"version":1,"outcome":"done","messages":[{"level":"info","text":"%s by a real process"}]}' $1 > "$result.tmp"
mv "$result.tmp" "$result"
]]

test("a real worker gets verb, data folder and job, and its answer is shown", function(folder)
    local world, front_end = koreader(folder, ANSWER)
    front_end:send("BookloreSync")
    wait(world, function() return #world.shown == 2 end)
    equal(world.shown[2].text, "sync by a real process", "text")
end)

test("a worker that lost its executable bit on the way is made executable", function(folder)
    local world, front_end, root = koreader(folder, ANSWER)
    matches(lfs.attributes(root .. "/bin/booklore-sync-x86_64", "permissions"), "^rw%-", "before")
    front_end:send("BookloreSync")
    wait(world, function() return #world.shown == 2 end)
    equal(world.shown[2].text, "sync by a real process", "text")
end)

test("a worker that the kernel refuses to run is noticed", function(folder)
    local world, front_end = koreader(folder)
    Check.write(world.root .. "/bin/booklore-sync-x86_64", "#!/nowhere/interpreter\n")
    front_end:send("BookloreSync")
    wait(world, function() return #world.shown == 2 end)
    matches(world.shown[2].text, "without a result", "message")
end)

test("starting a worker that takes its time does not keep KOReader waiting", function(folder)
    local world, front_end = koreader(folder, "exec sleep 3\n")
    local before = Fake.real.time()
    front_end:send("BookloreSync")
    assert(Fake.real.time() - before <= 1, "the handler waited")
    front_end:usb_storage()
    equal(#world.errors, 0, "errors")
end)

test("a worker does not sit on the card, hears no input and writes into its own log", function(folder)
    local script = 'pwd; readlink /proc/self/fd/0; echo "to stderr" >&2\n' .. ANSWER
    local world, front_end, root = koreader(folder, script)
    front_end:send("BookloreSync")
    wait(world, function() return #world.shown == 2 end)
    equal(Check.read(root .. "/bookloresync/log/launcher-spawn.log"), "/tmp\n/dev/null\nto stderr\n", "log")
end)

test("the log of starts does not grow from run to run", function(folder)
    local world, front_end, root = koreader(folder, "echo one line\n" .. ANSWER)
    for run = 1, 3 do
        front_end:send("BookloreSync")
        wait(world, function() return #world.shown == 2 * run end)
    end
    equal(size(root .. "/bookloresync/log/launcher-spawn.log"), #"one line\n", "bytes")
end)

test("a worker does not hold the open journal", function(folder)
    local world, front_end, root = koreader(folder, "ls -l /proc/self/fd\n" .. ANSWER)
    front_end:open(Check.book(root))
    front_end:send("BookloreSync")
    wait(world, function() return #world.shown == 2 end)
    local descriptors = Check.read(root .. "/bookloresync/log/launcher-spawn.log")
    matches(descriptors, "launcher%-spawn", "descriptors")
    assert(not descriptors:find("journal", 1, true), descriptors)
end)

test("a worker that is running is really terminated when the storage is shared", function(folder)
    local world, front_end, root = koreader(folder, 'echo $$ > "$3/pid"; trap \'echo > "$3/ended"; exit\' TERM\n'
        .. "while :; do sleep 0.1; done\n")
    front_end:send("BookloreSync")
    wait(world, function() return size(root .. "/bookloresync/pid") > 0 end)
    front_end:usb_storage()
    wait(world, function() return size(root .. "/bookloresync/ended") > 0 end)
end)

test("a worker that dies without a word is noticed", function(folder)
    local world, front_end = koreader(folder, "exit 1\n")
    front_end:send("BookloreSync")
    wait(world, function() return #world.shown == 2 end)
    matches(world.shown[2].text, "without a result", "message")
end)

test("the executable is found in the plugin's own folder when nothing else is said", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.environment = {} end)
    front_end:send("BookloreSync")
    local message = world.shown[#world.shown].text
    local started = world.spawned and world.spawned[1].command or message
    matches(started, lfs.currentdir():gsub("%p", "%%%0") .. "/device/launcher/bookloresync%.koplugin/bin/", "path")
end)

test("the data folder that the environment names is used", function(folder)
    Check.koreader(folder, function(world) world.environment.BOOKLORESYNC_DATA_DIR = folder .. "/elsewhere" end)
    equal(lfs.attributes(folder .. "/elsewhere/journal", "mode"), "directory", "journal folder")
    equal(lfs.attributes(folder .. "/bookloresync", "mode"), nil, "default folder")
end)

test("a data folder that KOReader names relatively becomes an absolute one", function(folder)
    local relative = ("../"):rep(select(2, lfs.currentdir():gsub("/", ""))) .. folder:sub(2)
    assert(lfs.attributes(relative, "mode") == "directory", "cannot say " .. folder .. " relatively")
    local world, front_end = Check.koreader(folder, function(world) world.data_dir = relative end)
    front_end:send("BookloreSync")
    matches(world.spawned[1].command, "%-%-data '" .. folder:gsub("%p", "%%%0") .. "/bookloresync'", "command")
end)
