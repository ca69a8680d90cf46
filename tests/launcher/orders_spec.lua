--- The orders of events that were recorded from the real KOReader, and the one reading that comes of each.
--
-- Every row says what the module behind the plugin hears, which is the recorded order itself, and what the journal has
-- then, to the event. So a fake that drifts from the recording fails here, and a launcher that loses or doubles too.

local Check = require("check")

local test, equal = Check.test, Check.equal

local CLOSE = "CloseDocument FlushSettings SaveSettings CloseWidget"
local BROWSER = "PathChanged Show"
local LEAVE_BROWSER = "SaveSettings FlushSettings SaveSettings CloseWidget"
local OPEN = "DocSettingsLoad ReadSettings PageUpdate ReaderReady Show"
local OPEN_FIXED_PAGES = "DocSettingsLoad PageUpdate ReadSettings ReaderReady Show"
local OPEN_SCROLLING = "DocSettingsLoad ReadSettings ReaderReady Show"

local READ_AND_CLOSED = "open page close snapshot"

--- A book at whose thirteenth page somebody is.
local function reading(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    world:pass(60)
    front_end:turn(13)
    world:pass(60)
    return world, front_end
end

--- What the module behind the plugin hears while `act` happens.
local function heard(front_end, act)
    for index = #front_end.heard, 1, -1 do table.remove(front_end.heard, index) end
    act(front_end)
    return table.concat(front_end.heard, " ")
end

local function journals(world, suffix)
    local count = 0
    for _, name in ipairs(Check.names(world.root .. "/bookloresync/journal")) do
        if name:match("%.(%w+)$") == suffix then count = count + 1 end
    end
    return count
end

local function last_reason(world)
    for _, line in ipairs((Check.journal(world, "jsonl"))) do
        if line.ev == "close" then return line.reason end
    end
end

-- ------------------------------------------------------------------------------------------------ opening

local OPENINGS = {
    { "whose text flows", OPEN, function() end },
    { "with fixed pages", OPEN_FIXED_PAGES, function(book) book.xpointer = nil end },
    { "that scrolls", OPEN_SCROLLING, function(book) book.scrolls = true end },
}

for _, opening in ipairs(OPENINGS) do
    test(("OPEN of a book %s is one line"):format(opening[1]), function(folder)
        local world, front_end = Check.koreader(folder)
        local book = Check.book(folder)
        opening[3](book)
        local order = heard(front_end, function() front_end:open(book) end)
        equal(order, LEAVE_BROWSER .. " " .. opening[2], "heard")
        equal(Check.events(world, "open"), "open", "events")
        equal(journals(world, "jsonl"), 0, "finished readings")
    end)
end

-- ------------------------------------------------------------------------------------------------ leaving a book

-- Name, what is done, what is heard, reason in the journal, whether KOReader goes on.
local ENDINGS = {
    { "CLOSE", "close", CLOSE .. " " .. BROWSER, "close", true },
    { "EXIT", "exit", "Exit " .. CLOSE, "exit" },
    { "RESTART", "restart", "Restart " .. CLOSE, "restart" },
    { "POWEROFF", "power_off", "PowerOff Close " .. CLOSE, "power" },
    { "REBOOT", "reboot", "Reboot Close " .. CLOSE, "power" },
    { "USB-MS", "usb_storage", "FlushSettings SaveSettings Close " .. CLOSE, "usb" },
}

for _, ending in ipairs(ENDINGS) do
    local name, way, order, reason, goes_on = unpack(ending)

    test(("%s in a book makes exactly one reading, whole and named"):format(name), function(folder)
        local world, front_end = reading(folder)
        equal(heard(front_end, front_end[way]), order, "heard")
        equal(Check.events(world, "jsonl"), READ_AND_CLOSED, "events")
        equal(last_reason(world), reason, "reason")
        equal(journals(world, "jsonl"), 1, "finished readings")
        equal(journals(world, "open"), 0, "open readings")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)

    test(("after %s in a book the next start changes nothing in the journal"):format(name), function(folder)
        local world, front_end = reading(folder)
        front_end[way](front_end)
        if goes_on then front_end:exit() end
        local _, before = Check.journal(world, "jsonl")
        Check.start_again(world)
        local _, after = Check.journal(world, "jsonl")
        equal(after, before, "file")
        equal(Check.events(world, "jsonl"), READ_AND_CLOSED, "events")
    end)

    test(("%s while the device is about to sleep makes exactly one reading"):format(name), function(folder)
        local world, front_end = reading(folder)
        front_end:suspend(true)
        front_end[way](front_end)
        equal(Check.events(world, "jsonl"), "open page suspend close snapshot", "events")
        equal(journals(world, "jsonl") + journals(world, "open"), 1, "readings")
    end)
end

local NEXT_READINGS = {
    { "SWITCH", CLOSE .. " " .. OPEN, "close", function(folder)
        return function(front_end) front_end:switch(Check.book(folder)) end
    end },
    { "RELOAD", "PreserveCurrentSession " .. CLOSE .. " " .. OPEN, "reload", function()
        return function(front_end) front_end:reload() end
    end },
}

for _, row in ipairs(NEXT_READINGS) do
    local name, order, reason, make = unpack(row)
    test(("%s makes exactly one finished reading and one open one"):format(name), function(folder)
        local world, front_end = reading(folder)
        equal(heard(front_end, make(folder)), order, "heard")
        equal(Check.events(world, "jsonl"), READ_AND_CLOSED, "events of the finished one")
        equal(last_reason(world), reason, "reason")
        equal(Check.events(world, "open"), "open", "events of the open one")
        equal(journals(world, "jsonl"), 1, "finished readings")
        equal(journals(world, "open"), 1, "open readings")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)
end

-- ------------------------------------------------------------------------------------------------ sleep

for managed, order in pairs({
    [true] = "NetworkDisconnecting NetworkDisconnected FlushSettings SaveSettings Suspend",
    [false] = "FlushSettings SaveSettings Suspend",
}) do
    local where = managed and "with" or "without"

    test(("SUSPEND %s a Wi-Fi manager, then RESUME, is a pause in one open reading"):format(where), function(folder)
        local world, front_end = reading(folder)
        equal(heard(front_end, function() front_end:suspend(managed) end), order, "heard at suspend")
        equal(Check.events(world, "open"), "open page suspend", "events asleep")
        world:sleep(300)
        equal(heard(front_end, front_end.resume), "OutOfScreenSaver Resume", "heard at resume")
        front_end:turn(14)
        front_end:close()
        equal(Check.events(world, "jsonl"), "open page suspend resume page close snapshot", "events")
        equal(journals(world, "jsonl") + journals(world, "open"), 1, "readings")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)

    test(("a battery that dies asleep, %s a Wi-Fi manager, leaves one reading up to the sleep"):format(where),
        function(folder)
        local world, front_end = reading(folder)
        front_end:suspend(managed)
        world:sleep(7 * 24 * 3600)
        front_end:crash()
        Check.start_again(world)
        equal(Check.events(world, "jsonl"), "open page suspend", "events")
        equal(journals(world, "jsonl") + journals(world, "open"), 1, "readings")
    end)
end

-- ------------------------------------------------------------------------------------------------ the file browser

-- Of these only EXIT is recorded; the others follow from it, since the browser keeps Close to itself.
local BROWSER_ENDINGS = {
    { "EXIT", "exit", LEAVE_BROWSER .. " Exit" },
    { "RESTART", "restart", LEAVE_BROWSER .. " Restart" },
    { "POWEROFF", "power_off", "PowerOff " .. LEAVE_BROWSER },
    { "REBOOT", "reboot", "Reboot " .. LEAVE_BROWSER },
    { "USB-MS", "usb_storage", "FlushSettings SaveSettings " .. LEAVE_BROWSER },
}

for _, ending in ipairs(BROWSER_ENDINGS) do
    local name, way, order = unpack(ending)
    test(("%s from the file browser makes no reading and touches none"):format(name), function(folder)
        local world, front_end = reading(folder)
        front_end:close()
        equal(heard(front_end, front_end[way]), order, "heard")
        equal(Check.events(world, "jsonl"), READ_AND_CLOSED, "events")
        equal(journals(world, "jsonl") + journals(world, "open"), 1, "readings")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)
end

-- ------------------------------------------------------------------------------------------------ death in mid-book

for _, restarted in ipairs({ "into the file browser", "straight into the book" }) do
    test(("a KOReader that dies in mid-book and starts again %s leaves exactly one finished reading"):format(restarted),
        function(folder)
        local world, front_end = reading(folder)
        front_end:crash()
        equal(journals(world, "jsonl"), 0, "finished readings before")
        Check.start_again(world, restarted == "straight into the book" and Check.book(folder) or nil)
        equal(Check.events(world, "jsonl"), "open page", "events")
        equal(journals(world, "jsonl"), 1, "finished readings")
        equal(journals(world, "open"), restarted == "straight into the book" and 1 or 0, "open readings")
    end)
end

test("a KOReader that dies after the close and before the snapshot leaves the close", function(folder)
    local world, front_end = reading(folder)
    front_end.window:handleEvent({ name = "CloseDocument", arguments = {} })
    front_end:crash()
    Check.start_again(world)
    equal(Check.events(world, "jsonl"), "open page close", "events")
    equal(journals(world, "jsonl"), 1, "finished readings")
end)

test("a KOReader that dies three times in three books leaves three readings, each once", function(folder)
    local world, front_end = reading(folder)
    for _ = 1, 2 do
        front_end:crash()
        front_end = Check.start_again(world, Check.book(folder))
        front_end:turn(20)
    end
    front_end:crash()
    Check.start_again(world)
    equal(journals(world, "jsonl"), 3, "finished readings")
    equal(journals(world, "open"), 0, "open readings")
end)
