--- A book that the reader does not want recorded: nothing of it is written down, everything else goes on.

local Check = require("check")

local test, equal = Check.test, Check.equal

local function journals(world)
    return #Check.names(world.root .. "/bookloresync/journal")
end

--- A KOReader with a list of these lines, and a book that is open; `name` of the list's book, `nil` for the open one's.
local function reading(folder, list)
    local world, front_end = Check.koreader(folder)
    Check.write(folder .. "/bookloresync/untracked.txt", list)
    front_end:open(Check.book(folder))
    return world, front_end
end

local function off(folder)
    return folder .. "/Moby Dick.epub\n"
end

test("nothing of a book that is switched off is written, from its opening to its close", function(folder)
    local world, front_end = reading(folder, off(folder))
    front_end:turn(13)
    front_end:suspend(true)
    front_end:resume()
    front_end:turn(14)
    front_end:send("FlushSettings")
    front_end:close()
    equal(journals(world), 0, "journals")
    equal(world.journal_lines, 0, "lines")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

for _, way in ipairs({ "exit", "restart", "power_off", "reboot", "usb_storage", "reload" }) do
    test(("nothing of a book that is switched off is written at %s"):format(way), function(folder)
        local world, front_end = reading(folder, off(folder))
        front_end[way](front_end)
        equal(journals(world), 0, "journals")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)
end

test("closing a book that is switched off starts the worker, for whatever else waits", function(folder)
    local world, front_end = reading(folder, off(folder))
    front_end:close()
    equal(Check.starts(world), 1, "starts")
    equal(world.spawned[1].job.reason, "close", "reason")
end)

test("an exit out of a book that is switched off starts the worker", function(folder)
    local world, front_end = reading(folder, off(folder))
    front_end:exit()
    equal(Check.starts(world), 1, "starts")
end)

test("a book that closes unrecorded right after an autosave does not terminate a running worker", function(folder)
    local world, front_end = reading(folder, off(folder))
    front_end:send("BookloreSync")
    front_end:send("FlushSettings")
    front_end:close_book()
    assert(world.processes[world.spawned[1].pid], "the worker was terminated")
end)

local LISTS = {
    ["in the middle of the list"] = function(name) return "/a.epub\n" .. name .. "\n/z.epub\n" end,
    ["at the end of a list without a last line feed"] = function(name) return "/a.epub\n" .. name end,
    ["behind a thousand others"] = function(name) return ("/a.epub\n"):rep(1000) .. name .. "\n" end,
}

for place, list in pairs(LISTS) do
    test(("a book %s is switched off"):format(place), function(folder)
        local world = reading(folder, list(folder .. "/Moby Dick.epub"))
        equal(journals(world), 0, "journals")
    end)
end

local OTHER_LISTS = {
    ["an empty one"] = function() return "" end,
    ["one of other books"] = function() return "/a.epub\n/b.epub\n" end,
    ["one with a book whose name goes on"] = function(name) return name .. ".bak\n" end,
    ["one with a book in a folder of that name"] = function(name) return "/mnt" .. name .. "\n" end,
    ["one with the beginning of the name"] = function(name) return name:sub(1, -2) .. "\n" end,
    ["one that is too long, cut within a name that is this one until there"] = function(name)
        return ("x"):rep(64 * 1024 - #name) .. "\n" .. name .. " 2.epub\n"
    end,
    ["one that names it beyond its limit"] = function(name) return ("/a.epub\n"):rep(9000) .. name .. "\n" end,
    ["one that is a single line without end"] = function(name) return ("x"):rep(70 * 1024) .. name end,
}

for what, list in pairs(OTHER_LISTS) do
    test(("with a list that is %s the book is recorded"):format(what), function(folder)
        local world = reading(folder, list(folder .. "/Moby Dick.epub"))
        equal(Check.events(world, "open"), "open", "events")
    end)
end

test("a list that is a folder switches nothing off", function(folder)
    local world, front_end = Check.koreader(folder)
    assert(require("lfs").mkdir(folder .. "/bookloresync/untracked.txt"))
    front_end:open(Check.book(folder))
    equal(Check.events(world, "open"), "open", "events")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("another book is recorded after one that is switched off, and the other way round", function(folder)
    local world, front_end = reading(folder, off(folder))
    local other = Check.book(folder)
    other.file = folder .. "/Typee.epub"
    front_end:switch(other)
    front_end:turn(13)
    front_end:switch(Check.book(folder))
    front_end:turn(14)
    front_end:close()
    equal(journals(world), 1, "journals")
    equal(Check.events(world, "jsonl"), "open page close snapshot", "events")
    equal(Check.journal(world, "jsonl")[1].book.file, folder .. "/Typee.epub", "book")
end)

--- The worker is asked for something, and has changed the list when it is done.
local function switch(world, front_end, list)
    front_end:send("BookloreSync")
    Check.write(world.root .. "/bookloresync/untracked.txt", list)
    Check.answer(world, #world.spawned)
    world:pass(2)
end

test("a book switched off while it is open is not recorded from then on", function(folder)
    local world, front_end = reading(folder, "")
    front_end:turn(13)
    switch(world, front_end, off(folder))
    front_end:turn(14)
    front_end:suspend(true)
    front_end:close()
    equal(Check.events(world, "jsonl"), "open page", "events")
    equal(journals(world), 1, "journals")
end)

test("a book switched on while it is open is recorded from then on", function(folder)
    local world, front_end = reading(folder, off(folder))
    front_end:turn(13)
    switch(world, front_end, "")
    front_end:turn(14)
    front_end:close()
    local lines = Check.journal(world, "jsonl")
    equal(Check.events(world, "jsonl"), "open page close snapshot", "events")
    equal(lines[1].page, 13, "page at the opening")
    equal(lines[2].page, 14, "page of the turn")
end)

test("a run that changes nothing for the open book leaves its reading alone", function(folder)
    local world, front_end = reading(folder, "")
    switch(world, front_end, "/a.epub\n")
    equal(Check.events(world, "open"), "open", "events")
    equal(journals(world), 1, "journals")
end)

test("a run that ends when the book is closed already begins nothing", function(folder)
    local world, front_end = reading(folder, off(folder))
    front_end:close()
    Check.write(folder .. "/bookloresync/untracked.txt", "")
    Check.answer(world, 1)
    world:pass(2)
    equal(journals(world), 0, "journals")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)
