--- The menu: what the worker's model becomes, and what a tap starts. Also the plugin's entry where it cannot work.

local Check = require("check")
local TouchMenu = require("touch_menu")
local cjson = require("cjson")

local test, equal, matches = Check.test, Check.equal, Check.matches

--- The menu as KOReader would open it, with that model on disk, or none.
local function open_menu(folder, model)
    local world, front_end = Check.koreader(folder, nil, true)
    if model then Check.write(folder .. "/bookloresync/menu.json", cjson.encode(model)) end
    return front_end.menu_items.bookloresync.sub_item_table_func(), world, front_end
end

local MODEL = { version = 1, title = "BookLore Sync", items = {
    { id = "sync", kind = "action", label = "Jetzt abgleichen", help = "Sendet alles.", enabled = true, verb = "sync" },
    { id = "waiting", kind = "text", label = "1 reading session waits: Moby Dick", enabled = false },
    { id = "later", kind = "action", label = "Check", enabled = false, verb = "selfcheck" },
} }

test("the plugin has one entry among KOReader's tools", function(folder)
    local _, front_end = Check.koreader(folder)
    equal(front_end.menu_items.bookloresync.text, "BookLore Sync", "text")
    equal(front_end.menu_items.bookloresync.sorting_hint, "tools", "place")
end)

test("the entry is there in the book view too", function(folder)
    local _, front_end = Check.koreader(folder)
    front_end.menu_items = {}
    front_end:open(Check.book(folder))
    assert(front_end.menu_items.bookloresync, "no entry")
end)

test("the worker's items are shown in its order, with its texts", function(folder)
    local items = open_menu(folder, MODEL)
    equal(#items, 3, "items")
    equal(items[1].text, "Jetzt abgleichen", "label")
    equal(items[1].help_text, "Sendet alles.", "help")
    equal(items[1].enabled, true, "enabled")
    equal(items[2].text, "1 reading session waits: Moby Dick", "label of a text")
    equal(items[2].enabled, false, "a text can be tapped")
    equal(items[3].enabled, false, "a disabled action can be tapped")
end)

test("a tap on an action starts its verb, and says so at once", function(folder)
    local model = { version = 1, items = { { kind = "action", label = "Self-check", verb = "selfcheck" } } }
    local items, world = open_menu(folder, model)
    items[1].callback()
    equal(world.spawned[1].job.verb, "selfcheck", "verb")
    equal(world.spawned[1].job.reason, "tap", "reason")
    equal(world.shown[1].text, "Self-check…", "message")
end)

test("a tap during a run is done after it", function(folder)
    local items, world = open_menu(folder, MODEL)
    items[1].callback()
    items[3].callback()
    equal(Check.starts(world), 1, "starts during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(world.spawned[2].job.verb, "selfcheck", "verb after it")
end)

test("without a model there is one entry, which asks for the status", function(folder)
    local items, world = open_menu(folder)
    equal(#items, 1, "items")
    items[1].callback()
    equal(world.spawned[1].job.verb, "status", "verb")
end)

test("a model that changed is shown the next time the menu opens", function(folder)
    local _, _, front_end = open_menu(folder, MODEL)
    local changed = cjson.encode({ version = 1, items = { { kind = "text", label = "Nothing waits" } } })
    Check.write(folder .. "/bookloresync/menu.json", changed)
    equal(front_end.menu_items.bookloresync.sub_item_table_func()[1].text, "Nothing waits", "label")
end)

test("a model of an unknown version is named and not half understood", function(folder)
    local items = open_menu(folder, { version = 2, items = MODEL.items })
    equal(#items, 2, "items")
    matches(items[2].text, "version 2", "text")
end)

local BROKEN = { '{"version":1,"items":', "[]", '"text"', '{"version":1,"items":7}', '{"version":1,"items":[1,{}]}' }

for _, broken in ipairs(BROKEN) do
    test(("a menu still opens when its model is %s"):format(broken), function(folder)
        local _, world, front_end = open_menu(folder)
        Check.write(folder .. "/bookloresync/menu.json", broken)
        assert(type(front_end.menu_items.bookloresync.sub_item_table_func()) == "table", "no menu")
        equal(#world.errors, 0, "errors")
    end)
end

test("a model far larger than a menu is not read", function(folder)
    local item = { kind = "text", label = ("x"):rep(300 * 1024) }
    local items = open_menu(folder, { version = 1, items = { item } })
    equal(#items, 1, "items")
    equal(items[1].text, "Status", "text")
end)

test("an action whose verb is more than a word cannot be tapped", function(folder)
    local item = { kind = "action", label = "Trick", verb = "sync; reboot" }
    local items, world = open_menu(folder, { version = 1, items = { item } })
    equal(items[1].callback, nil, "callback")
    equal(#world.commands, 0, "commands")
end)

test("a verb may have hyphens, but it begins with a letter and is short", function(folder)
    local verbs = { "set-home-folder", "-set", "set_home", "Set", "set2", "", ("a"):rep(33), "a b", "a\nb", 7 }
    local items = {}
    for index, verb in ipairs(verbs) do
        items[index] = { kind = "action", label = "Item " .. index, verb = verb }
    end
    local drawn, world = open_menu(folder, { version = 1, items = items })
    drawn[1].callback()
    matches(world.spawned[1].command, "' set%-home%-folder %-%-data", "command")
    for index = 2, #verbs do equal(drawn[index].callback, nil, ("callback of %q"):format(verbs[index])) end
end)

test("an item of a kind that this launcher does not know is shown as text", function(folder)
    local items = open_menu(folder, { version = 1, items = { { kind = "slider", label = "Volume", verb = "sync" } } })
    equal(items[1].text, "Volume", "text")
    equal(items[1].enabled, false, "enabled")
end)

-- ------------------------------------------------------------------------------------------------ kinds

--- KOReader with that list of items, the plugin's entry opened; with a book open if `book` says so.
local function tapped_open(folder, items, book)
    local world, front_end = Check.koreader(folder)
    Check.write(folder .. "/bookloresync/menu.json", cjson.encode({ version = 1, items = items }))
    if book then front_end:open(Check.book(folder)) end
    local function open() return TouchMenu:new(front_end.menu_items.bookloresync) end
    return open(), world, open, front_end
end

local function job(world, n)
    return world.spawned[n or #world.spawned].job
end

--- The arguments of a job in one line, by name.
local function arguments(world, n)
    local list = {}
    for name, value in pairs(job(world, n).arguments) do list[#list + 1] = name .. "=" .. tostring(value) end
    table.sort(list)
    return table.concat(list, " ")
end

test("a menu opens into its own list, whose items work", function(folder)
    local menu, world = tapped_open(folder, { { kind = "menu", label = "More", items = {
        { kind = "text", label = "Hello" }, { kind = "action", label = "Check", verb = "selfcheck" },
    } } })
    equal(menu:shows(), "More >", "first list")
    menu:tap("More")
    equal(menu:shows(), "- Hello\nCheck", "second list")
    menu:tap("Check")
    equal(job(world).verb, "selfcheck", "verb")
end)

test("menus are drawn three deep, and what is deeper is text", function(folder)
    local inner = { kind = "menu", label = "4", items = { { kind = "action", label = "too deep", verb = "sync" } } }
    for depth = 3, 1, -1 do inner = { kind = "menu", label = tostring(depth), items = { inner } } end
    local menu = tapped_open(folder, { inner })
    menu:tap("1")
    menu:tap("2")
    menu:tap("3")
    equal(menu:shows(), "- 4", "innermost list")
end)

test("a model that nests without end is drawn", function(folder)
    local deep = ('{"kind":"menu","label":"m","items":['):rep(400) .. ("]}"):rep(400)
    local _, world, open = tapped_open(folder, {})
    Check.write(folder .. "/bookloresync/menu.json", '{"version":1,"items":[' .. deep .. "]}")
    equal(open():shows(), "m >", "list")
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end)

test("of a model with too many items the first five hundred are drawn, those in menus counted", function(folder)
    local inner = {}
    for index = 1, 300 do inner[index] = { kind = "text", label = "inner " .. index } end
    local items = { { kind = "menu", label = "More", items = inner } }
    for index = 1, 300 do items[index + 1] = { kind = "text", label = "outer " .. index } end
    local menu = tapped_open(folder, items)
    equal(#menu.lines, 200, "lines of the first list")
    menu:tap("More")
    equal(#menu.lines, 300, "lines of the inner list")
end)

test("a menu without a list, or with nothing in it to show, cannot be tapped", function(folder)
    local menu = tapped_open(folder, {
        { kind = "menu", label = "Nothing" }, { kind = "menu", label = "Empty", items = {} },
        { kind = "menu", label = "Broken", items = 7 },
        { kind = "menu", label = "This book", items = { { kind = "text", label = "x", needs = "book" } } },
        { kind = "menu", label = "Off", enabled = false, items = { { kind = "text", label = "x" } } },
    })
    equal(menu:shows(), "- Nothing >\n- Empty >\n- Broken >\n- This book >\n- Off >", "list")
end)

test("the arguments of an action are in the job as they stand in the model", function(folder)
    local given = { name = "it's \"x\"", limit = 0.1, many = 12345678901, on = false, empty = "" }
    local menu, world = tapped_open(folder, { { kind = "action", label = "Do", verb = "do", arguments = given } })
    menu:tap("Do")
    local sent, count = job(world).arguments, 0
    for name, value in pairs(sent) do
        equal(value, given[name], name)
        count = count + 1
    end
    equal(count, 5, "arguments")
end)

test("the job of an action without arguments has none", function(folder)
    local menu, world = tapped_open(folder, { { kind = "action", label = "Do", verb = "do" } })
    menu:tap("Do")
    equal(job(world).arguments, nil, "arguments")
end)

test("arguments of a JSON null are none", function(folder)
    local item = { kind = "action", label = "Do", verb = "do", arguments = cjson.null, confirm = cjson.null,
        needs = cjson.null }
    local menu, world = tapped_open(folder, { item })
    menu:tap("Do")
    equal(job(world).verb, "do", "verb")
    equal(job(world).arguments, nil, "arguments")
end)

local many = {}
for index = 1, 21 do many["name" .. index] = index end

local NO_ARGUMENTS = {
    ["a list"] = { 1, 2 }, ["a text"] = "x", ["a number"] = 7, ["an object in an object"] = { a = { b = 1 } },
    ["a null inside"] = { a = cjson.null }, ["a value longer than a path"] = { a = ("x"):rep(5000) },
    ["more than twenty"] = many,
}

for what, broken in pairs(NO_ARGUMENTS) do
    test(("an item whose arguments are %s cannot be tapped"):format(what), function(folder)
        local menu, world = tapped_open(folder, {
            { kind = "action", label = "a", verb = "do", arguments = broken },
            { kind = "toggle", label = "b", verb = "do", arguments = broken },
            { kind = "choice", label = "c", verb = "do", arguments = broken },
            { kind = "number", label = "d", verb = "do", arguments = broken, value = 1, least = 0, most = 2, step = 1 },
        })
        equal(menu:shows(), "- a\n- b\n- c\n- d", "list")
        equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
    end)
end

local FORGET = { kind = "action", label = "Forget", verb = "forget", confirm = "Really forget everything?" }

test("an action to be confirmed asks first, and the menu stays for a no", function(folder)
    local menu, world = tapped_open(folder, { FORGET })
    menu:tap("Forget")
    equal(world.shown[1].kind, "ConfirmBox", "kind")
    equal(world.shown[1].text, "Really forget everything?", "text")
    world.shown[1].answer(false)
    equal(Check.starts(world), 0, "starts")
    equal(menu.is_open, true, "menu open")
end)

test("an action that was confirmed is sent, and the menu closes", function(folder)
    local menu, world = tapped_open(folder, { FORGET })
    menu:tap("Forget")
    equal(Check.starts(world), 0, "starts before the answer")
    world.shown[1].answer(true)
    equal(job(world).verb, "forget", "verb")
    equal(menu.is_open, false, "menu open")
end)

test("an action whose question is no text is not done without it", function(folder)
    local menu = tapped_open(folder, { { kind = "action", label = "Forget", verb = "forget", confirm = 7 } })
    equal(menu:shows(), "- Forget", "list")
end)

local JOIN = { kind = "toggle", label = "Join", checked = true, verb = "set", arguments = { name = "join" } }

test("a toggle shows its mark, and a tap sends the other state and shows it at once", function(folder)
    local menu, world = tapped_open(folder, { JOIN })
    equal(menu:shows(), "[x] Join", "before")
    menu:tap("Join")
    equal(menu:shows(), "[ ] Join", "after")
    equal(job(world).verb, "set", "verb")
    equal(job(world).reason, "tap", "reason")
    equal(arguments(world), "name=join on=false", "arguments")
    equal(menu.is_open, true, "menu open")
    equal(#world.shown, 0, "messages")
end)

test("a toggle tapped twice sends both states, one after the other", function(folder)
    local menu, world = tapped_open(folder, { JOIN })
    menu:tap("Join")
    menu:tap("Join")
    equal(menu:shows(), "[x] Join", "after")
    equal(Check.starts(world), 1, "starts during the first")
    Check.answer(world, 1)
    world:pass(2)
    equal(arguments(world, 2), "name=join on=true", "arguments")
end)

test("a toggle without arguments sends only the state", function(folder)
    local menu, world = tapped_open(folder, { { kind = "toggle", label = "Track", verb = "track" } })
    equal(menu:shows(), "[ ] Track", "before")
    menu:tap("Track")
    equal(arguments(world), "on=true", "arguments")
end)

test("a menu opened again shows what was tapped for until that is done, then what the model says", function(folder)
    local menu, world, open = tapped_open(folder, { JOIN })
    menu:tap("Join")
    equal(open():shows(), "[ ] Join", "during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(open():shows(), "[x] Join", "after a run that changed nothing")
end)

test("a toggle in a menu keeps its state when the reader goes back and in again", function(folder)
    local menu = tapped_open(folder, { { kind = "menu", label = "Settings", items = { JOIN } } })
    menu:tap("Settings")
    menu:tap("Join")
    menu:back()
    menu:tap("Settings")
    equal(menu:shows(), "[ ] Join", "state")
end)

test("a toggle that is unchecked for some books is so only while one of them is open", function(folder)
    local item = { kind = "toggle", label = "Record", checked = true, verb = "track",
        unchecked_for = { "/a.epub", folder .. "/Moby Dick.epub" } }
    local menu, world, open, front_end = tapped_open(folder, { item }, true)
    equal(menu:shows(), "[ ] Record", "with the book")
    menu:tap("Record")
    equal(arguments(world), "on=true", "arguments")
    Check.answer(world, 1)
    world:pass(2)
    local other = Check.book(folder)
    other.file = folder .. "/Typee.epub"
    front_end:switch(other)
    equal(open():shows(), "[x] Record", "with another book")
    front_end:close()
    equal(open():shows(), "[x] Record", "without a book")
end)

test("a toggle tapped in one book does not show in another", function(folder)
    local item = { kind = "toggle", label = "Record", checked = true, verb = "track" }
    local menu, _, open, front_end = tapped_open(folder, { item }, true)
    menu:tap("Record")
    local other = Check.book(folder)
    other.file = folder .. "/Typee.epub"
    front_end:switch(other)
    equal(open():shows(), "[x] Record", "in the other book")
end)

for _, list in ipairs({ 7, "/a.epub", { 7 } }) do
    test(("a list of unchecked books that is %s unchecks nothing"):format(cjson.encode({ list })), function(folder)
        local item = { kind = "toggle", label = "Record", checked = true, verb = "track", unchecked_for = list }
        equal(tapped_open(folder, { item }, true):shows(), "[x] Record", "state")
    end)
end

local function mode(name, checked)
    return { kind = "choice", label = name, checked = checked, verb = "set",
        arguments = { name = "mode", value = name:lower() } }
end

test("a choice has a round mark, a tap sends its arguments, and the mark leaves its neighbour at once", function(folder)
    local menu, world = tapped_open(folder, { mode("Duration", true), mode("Pages") })
    equal(menu:shows(), "(o) Duration\n( ) Pages", "before")
    menu:tap("Pages")
    equal(menu:shows(), "( ) Duration\n(o) Pages", "after")
    equal(arguments(world), "name=mode value=pages", "arguments")
end)

test("a choice is kept when the menu is opened again before the run has ended", function(folder)
    local menu, _, open = tapped_open(folder, { mode("Duration", true), mode("Pages") })
    menu:tap("Pages")
    equal(open():shows(), "( ) Duration\n(o) Pages", "opened again")
end)

test("choices for different questions of one list do not touch each other", function(folder)
    local function choice(name, value, checked)
        return { kind = "choice", label = name .. value, checked = checked, verb = "set",
            arguments = { name = name, value = value } }
    end
    local menu = tapped_open(folder, {
        choice("a", 1, true), choice("a", 2), choice("b", 1, true), { kind = "text", label = "text" }, choice("b", 2),
    })
    menu:tap("b2")
    equal(menu:shows(), "(o) a1\n( ) a2\n( ) b1\n- text\n(o) b2", "marks")
end)

test("choices without a value are each a question of their own", function(folder)
    local menu, world = tapped_open(folder, {
        { kind = "choice", label = "One", checked = true, verb = "one" },
        { kind = "choice", label = "Two", verb = "two" },
    })
    menu:tap("Two")
    equal(menu:shows(), "(o) One\n(o) Two", "marks")
    equal(next(job(world).arguments), nil, "arguments")
end)

local CAP = { kind = "number", label = "Idle after", value = 5, least = 1, most = 60, step = 1, unit = "min",
    verb = "set", arguments = { name = "idle" } }

test("a number shows its value and unit, and OK sends the one that was picked", function(folder)
    local menu, world = tapped_open(folder, { CAP })
    equal(menu:shows(), "Idle after: 5 min", "before")
    menu:tap("Idle after: 5 min")
    local spin = world.shown[1]
    equal(spin.kind, "SpinWidget", "kind")
    equal(spin.title_text, "Idle after", "title")
    equal(spin.unit, "min", "unit")
    equal(spin.text(), "5", "text in the picker")
    spin.step(3)
    spin.ok()
    equal(arguments(world), "name=idle value=8", "arguments")
    equal(menu:shows(), "Idle after: 8 min", "after")
    equal(menu.is_open, true, "menu open")
end)

test("a number does not leave its limits", function(folder)
    local menu, world = tapped_open(folder, { CAP })
    menu:tap("Idle after: 5 min")
    world.shown[1].step(1000)
    world.shown[1].ok()
    equal(job(world).arguments.value, 60, "value")
end)

test("a number picked twice begins at the first pick and is the last one after a reopening", function(folder)
    local menu, world, open = tapped_open(folder, { CAP })
    for _ = 1, 2 do
        menu:tap(menu.lines[1])
        world.shown[#world.shown].step(1)
        world.shown[#world.shown].ok()
    end
    equal(open():shows(), "Idle after: 7 min", "opened again during the run")
    Check.answer(world, 1)
    world:pass(2)
    equal(arguments(world, 2), "name=idle value=7", "arguments of the second run")
end)

test("a number that is not changed sends nothing", function(folder)
    local menu, world = tapped_open(folder, { CAP })
    menu:tap("Idle after: 5 min")
    world.shown[1].ok()
    equal(Check.starts(world), 0, "starts")
end)

test("a number with steps of a tenth is sent without what floating point adds", function(folder)
    local menu, world = tapped_open(folder, {
        { kind = "number", label = "Speed", value = 0.7, least = 0.1, most = 2, step = 0.1, verb = "set" },
    })
    equal(menu:shows(), "Speed: 0.7", "before")
    menu:tap("Speed: 0.7")
    equal(world.shown[1].text(), "0.7", "text in the picker")
    world.shown[1].step(1)
    world.shown[1].step(1)
    world.shown[1].step(1)
    world.shown[1].ok()
    equal(arguments(world), "value=1", "arguments")
end)

test("a typed number is what the picker shows of it", function(folder)
    local menu, world = tapped_open(folder, { CAP })
    menu:tap("Idle after: 5 min")
    world.shown[1].value = 7.4
    world.shown[1].ok()
    equal(job(world).arguments.value, 7, "value")
end)

test("a number outside its limits begins at the nearest", function(folder)
    local menu = tapped_open(folder, {
        { kind = "number", label = "n", value = 99, least = 1, most = 60, step = 1, verb = "set" },
    })
    equal(menu:shows(), "n: 60", "list")
end)

local NO_NUMBERS = {
    ["no value"] = { least = 1, most = 2, step = 1 },
    ["a text for a value"] = { value = "1", least = 1, most = 2, step = 1 },
    ["no limits"] = { value = 1, step = 1 }, ["no step"] = { value = 1, least = 1, most = 2 },
    ["a step of nothing"] = { value = 1, least = 1, most = 2, step = 0 },
    ["limits the wrong way round"] = { value = 1, least = 2, most = 1, step = 1 },
    ["null for a limit"] = { value = 1, least = 1, most = cjson.null, step = 1 },
}

for what, item in pairs(NO_NUMBERS) do
    test(("a number with %s is text"):format(what), function(folder)
        item.kind, item.label, item.verb = "number", "n", "set"
        equal(tapped_open(folder, { item }):shows(), "- n", "list")
    end)
end

test("what needs a book is there only while one is open", function(folder)
    local items = {
        { kind = "text", label = "always" }, { kind = "action", label = "this book", verb = "do", needs = "book" },
        { kind = "menu", label = "menu", needs = "book", items = { { kind = "text", label = "x" } } },
    }
    local menu, _, open, front_end = tapped_open(folder, items)
    equal(menu:shows(), "- always", "in the file browser")
    front_end:open(Check.book(folder))
    equal(open():shows(), "- always\nthis book\nmenu >", "in the book")
    front_end:close()
    equal(open():shows(), "- always", "in the file browser again")
end)

test("what needs something that this launcher does not know is not there", function(folder)
    local items = { { kind = "text", label = "x", needs = "wings" }, { kind = "text", label = "y" } }
    equal(tapped_open(folder, items, true):shows(), "- y", "list")
end)

test("a model without anything to show leaves the entry that asks for the status", function(folder)
    equal(tapped_open(folder, { { kind = "text", label = "x", needs = "book" } }):shows(), "Status", "list")
end)

test("an item that is disabled or without a word to it cannot be tapped, whatever its kind", function(folder)
    local items = {}
    for index, kind in ipairs({ "action", "toggle", "choice", "number" }) do
        items[index] = { kind = kind, label = kind, verb = "do", value = 1, least = 1, most = 2, step = 1,
            enabled = false, checked = true }
    end
    items[5] = { kind = "action", verb = "do" }
    local menu, world = tapped_open(folder, items)
    equal(menu:shows(), "- action\n- [x] toggle\n- (o) choice\n- number: 1", "list")
    for _, text in ipairs({ "action", "toggle", "choice", "number: 1" }) do menu:tap(text) end
    equal(Check.starts(world), 0, "starts")
    equal(#world.shown, 0, "messages")
end)

test("an error behind a tap does not reach KOReader", function(folder)
    local menu, world = tapped_open(folder, { JOIN, mode("Pages"), CAP, FORGET })
    package.loaded["booklore_worker"].request = function() error("broken") end
    menu:tap("Join")
    menu:tap("Pages")
    menu:tap("Idle after: 5 min")
    world.shown[1].step(1)
    world.shown[1].ok()
    menu:tap("Forget")
    world.shown[2].answer(true)
    equal(#world.errors, 4, "logged errors")
end)

test("an error while the model is drawn leaves the entry that asks for the status", function(folder)
    local _, world, open = tapped_open(folder, { JOIN })
    package.loaded["booklore_worker"].busy = function() error("broken") end
    equal(open():shows(), "Status", "list")
    equal(#world.errors, 1, "logged errors")
end)

-- ------------------------------------------------------------------------------------------------ other processors

test("on Android the plugin only says why it does nothing", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.device.android = true end, true)
    front_end.menu_items.bookloresync.callback()
    equal(world.shown[1].kind, "InfoMessage", "kind")
    matches(world.shown[1].text, "Android", "text")
    front_end:open(Check.book(folder))
    front_end:close()
    equal(Check.starts(world), 0, "starts")
    equal(io.open(folder .. "/bookloresync"), nil, "data folder")
end)

for arch, program in pairs({ arm = "armv7", arm64 = "aarch64", x64 = "x86_64" }) do
    test(("on the processor %s the executable for %s is started"):format(arch, program), function(folder)
        local world, front_end = Check.koreader(folder, function(world)
            world.arch = arch
            Check.write(world.root .. "/bin/booklore-sync-" .. program, "#!/bin/sh\n")
        end)
        front_end:send("BookloreSync")
        matches(world.spawned[1].command, "/bin/booklore%-sync%-" .. program .. "' sync ", "command")
    end)
end

test("on a processor without an executable the plugin names the processor", function(folder)
    local world, front_end = Check.koreader(folder, function(world) world.arch = "mips" end)
    front_end.menu_items.bookloresync.callback()
    matches(world.shown[1].text, "mips", "text")
end)

-- ------------------------------------------------------------------------------------------------ the document

test("the items of docs/protocol.md are drawn as it says, and their taps make jobs", function(folder)
    local document = Check.read("docs/protocol.md")
    local items = cjson.decode(document:match("```\n(%[{.-}%])\n```"))
    local menu, world = tapped_open(folder, items, true)
    equal(menu:shows(), "[x] Record this book\nSettings >\nImport", "list")
    menu:tap("Record this book")
    equal(arguments(world), "on=false", "arguments of the toggle")
    equal(job(world).book, folder .. "/Moby Dick.epub", "book")
    menu:tap("Settings")
    equal(menu:shows(), "(o) By duration\n( ) By pages\nLongest time that counts for one page: 300 s", "settings")
    menu:back()
    menu:tap("Import")
    matches(world.shown[#world.shown].text, "^Import 3 years", "question")
end)
