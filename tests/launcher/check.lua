--- A test runner as small as it gets: sentences, a fresh folder for each, and one last line that counts.

local Fake = require("fake_koreader")
local FrontEnd = require("front_end")
local cjson = require("cjson")
local lfs = require("lfs")

local Check = { passed = 0, failed = 0 }

Check.plugin = "device/launcher/bookloresync.koplugin"

function Check.equal(actual, expected, what)
    if actual ~= expected then
        error(("%s: expected %s, got %s"):format(what or "value", tostring(expected), tostring(actual)), 2)
    end
end

function Check.matches(text, pattern, what)
    if type(text) ~= "string" or not text:find(pattern) then
        error(("%s: expected something like %q, got %s"):format(what or "text", pattern, tostring(text)), 2)
    end
end

function Check.test(sentence, body)
    local folder = Fake.real.getenv("TMPDIR") or "/tmp"
    folder = ("%s/booklore-launcher-%d-%d"):format(folder, Fake.real.time(), math.floor(os.clock() * 1000000))
    Fake.real.execute("mkdir -p '" .. folder .. "/bin'")
    local ok, problem = xpcall(function() body(folder) end, debug.traceback)
    Fake.release_the_system()
    os.execute("rm -rf '" .. folder .. "'")
    Check[ok and "passed" or "failed"] = Check[ok and "passed" or "failed"] + 1
    print((ok and "ok   " or "FAIL ") .. sentence)
    if not ok then print(problem) end
end

--- What the worker wrote when it ran here before; without it a start of KOReader starts the worker.
local function write_menu(world)
    local folder = world.environment.BOOKLORESYNC_DATA_DIR or world.data_dir .. "/bookloresync"
    Fake.real.execute(("mkdir -p \"%s\""):format(folder))
    Check.write(folder .. "/menu.json", '{"version":1,"items":[{"kind":"action","label":"Status","verb":"status"}]}')
end

--- A world in which the worker is there and has run before, unless `first_start`; `change` may spoil it before KOReader
--- starts.
-- @return table world, table front_end
function Check.koreader(folder, change, first_start)
    local world = Fake:new({
        root = folder, plugin = Check.plugin,
        environment = { BOOKLORESYNC_BIN_DIR = folder .. "/bin" },
    })
    local program = assert(io.open(folder .. "/bin/booklore-sync-x86_64", "w"))
    program:write("#!/bin/sh\n")
    program:close()
    if change then change(world) end
    if not first_start then write_menu(world) end
    world:boot()
    local front_end = FrontEnd:new(world)
    front_end:file_manager()
    world:pass(0)
    return world, front_end
end

--- The same disk, a new process.
-- @param book table|nil opened at once, without the file browser
function Check.start_again(world, book)
    world:boot()
    local front_end = FrontEnd:new(world)
    if book then front_end:open(book) else front_end:file_manager() end
    world:pass(0)
    return front_end
end

function Check.book(folder)
    local file = folder .. "/Moby Dick.epub"
    local handle = assert(io.open(file, "w"))
    handle:write(("x"):rep(1234))
    handle:close()
    return {
        file = file, page = 12, pages = 600,
        props = {
            title = "Moby Dick", authors = "Herman Melville\nRockwell Kent",
            identifiers = "ISBN:9780142437247\nuuid:42", language = "en",
        },
        sidecar = {
            partial_md5_checksum = "5d0c", percent_finished = 0.7,
            summary = { status = "reading", rating = 4, modified = "2026-11-20" },
        },
        xpointer = function(page) return "/body/DocFragment[4]/body/p[" .. page .. "]/text().0" end,
    }
end

function Check.names(folder)
    local names = {}
    for name in lfs.dir(folder) do
        if name:sub(1, 1) ~= "." then names[#names + 1] = name end
    end
    table.sort(names)
    return names
end

function Check.read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

function Check.write(path, text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
end

--- The lines of the world's only journal with that suffix, decoded.
function Check.journal(world, suffix)
    local folder = world.root .. "/bookloresync/journal"
    local found
    for _, name in ipairs(Check.names(folder)) do
        if name:match("%.(%w+)$") == suffix then
            assert(not found, "more than one journal ." .. suffix)
            found = name
        end
    end
    assert(found, "no journal ." .. suffix)
    local lines = {}
    for line in Check.read(folder .. "/" .. found):gmatch("([^\n]*)\n") do lines[#lines + 1] = cjson.decode(line) end
    return lines, found
end

--- The events of that journal in one string.
function Check.events(world, suffix)
    local events = {}
    for _, line in ipairs((Check.journal(world, suffix))) do events[#events + 1] = line.ev end
    return table.concat(events, " ")
end

--- The fake worker of the n-th run ends with this result.
function Check.answer(world, n, fields)
    local run = world.spawned[n]
    local result = { version = 1, job = run.job.job, verb = run.job.verb, outcome = "done", at = 1, messages = {} }
    for key, value in pairs(fields or {}) do result[key] = value end
    Check.write(("%s/bookloresync/results/%s.json"):format(world.root, run.job.job), cjson.encode(result))
    world.processes[run.pid] = nil
end

function Check.said(text, level)
    return { messages = { { level = level or "info", text = text } } }
end

--- How often the worker was started.
function Check.starts(world)
    return world.spawned and #world.spawned or 0
end

return Check
