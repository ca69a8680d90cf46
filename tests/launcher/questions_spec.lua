--- Questions of a result: when they appear, what their answers send, and that none is asked where it would disturb.

local Check = require("check")
local cjson = require("cjson")

local test, equal = Check.test, Check.equal

local DRAWN_S = 1 -- from then on a tap is meant for the dialog

local function rating(change)
    local question = {
        id = "rate-12", text = "How do you like “Moby Dick”?", when = "now", columns = 5, answers = {},
        dismissed = { verb = "rate", arguments = { book_id = 12, dismissed = true } },
    }
    for stars = 1, 10 do
        question.answers[stars] = {
            label = tostring(stars), verb = "rate", arguments = { book_id = 12, rating = stars },
        }
    end
    for name, value in pairs(change or {}) do question[name] = value end
    return question
end

local function process()
    return package.loaded["booklore_process"].current
end

--- The n-th run ends with these questions.
local function answer(world, n, ...)
    Check.answer(world, n, { questions = { ... } })
    world:pass(2)
end

--- A book that was read and closed, and the questions of its run.
local function closed(folder, ...)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:close()
    answer(world, 1, ...)
    return world, front_end
end

--- A book that is open, and the questions of its run.
local function opened(folder, ...)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    world:pass(3.5)
    answer(world, 1, ...)
    return world, front_end
end

local function asked(world)
    local texts = {}
    for _, widget in ipairs(world.shown) do
        if widget.kind == "ButtonDialog" then texts[#texts + 1] = widget.text end
    end
    return texts
end

local function dialog(world)
    local top = world:top_window()
    assert(top and top.kind == "ButtonDialog", "no question is on top")
    return top
end

local function no_errors(world)
    equal(#world.errors, 0, "errors: " .. table.concat(world.errors, "; "))
end

-- ------------------------------------------------------------------------------------------------ asking

test("a question of a run appears as buttons, so many in a row", function(folder)
    local world = closed(folder, rating())
    local shown = dialog(world)
    equal(shown.text, "How do you like “Moby Dick”?", "text")
    equal(#shown.buttons, 2, "rows")
    equal(#shown.buttons[1], 5, "buttons in the first row")
    equal(shown.buttons[2][5].text, "10", "label of the last")
    no_errors(world)
end)

test("answers stand below each other where no number of columns is given, or one that cannot be", function(folder)
    local world = closed(folder, rating({ columns = cjson.null }), rating({ id = "other", columns = 17 }))
    equal(#dialog(world).buttons, 10, "rows")
    world:pass(DRAWN_S)
    dialog(world).tap("3")
    world:pass(1)
    equal(#dialog(world).buttons, 10, "rows of the other")
end)

test("an answer is sent as a tap, with its arguments", function(folder)
    local world = closed(folder, rating())
    world:pass(DRAWN_S)
    dialog(world).tap("7")
    local job = world.spawned[2].job
    equal(job.verb, "rate", "verb")
    equal(job.reason, "tap", "reason")
    equal(job.arguments.book_id, 12, "book_id")
    equal(job.arguments.rating, 7, "rating")
    equal(world:top_window().kind, nil, "window on top")
    world:pass(60)
    equal(Check.starts(world), 2, "starts")
    no_errors(world)
end)

test("an answer given during a run is a job on disk at once, and is done after it", function(folder)
    local world, front_end = closed(folder, rating())
    front_end:send("BookloreSync")
    world:pass(DRAWN_S)
    dialog(world).tap("7")
    equal(#Check.names(folder .. "/bookloresync/jobs"), 2, "job files")
    Check.answer(world, 2)
    world:pass(2)
    equal(world.spawned[3].job.arguments.rating, 7, "rating")
end)

test("an answer that only closes sends nothing, and is an answer", function(folder)
    local question = rating({ answers = { { label = "Not now" } } })
    local world = closed(folder, question)
    world:pass(DRAWN_S)
    dialog(world).tap("Not now")
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
    equal(world:top_window().kind, nil, "window on top")
end)

test("a question that is dismissed says so, quietly", function(folder)
    local world = closed(folder, rating())
    world:pass(DRAWN_S)
    dialog(world).tap_outside()
    world:pass(1)
    local job = world.spawned[2].job
    equal(job.verb, "rate", "verb")
    equal(job.arguments.dismissed, true, "dismissed")
    equal(job.reason, "close", "reason, that of the run that asked")
    no_errors(world)
end)

test("a question that has nothing to say when it is dismissed only goes away", function(folder)
    local world = closed(folder, rating({ dismissed = cjson.null }))
    world:pass(DRAWN_S)
    dialog(world).tap_outside()
    world:pass(60)
    equal(Check.starts(world), 1, "starts")
    no_errors(world)
end)

test("questions are asked one after the other, in their order", function(folder)
    local world = closed(folder, rating({ text = "First?" }), rating({ id = "second", text = "Second?" }))
    equal(table.concat(asked(world), " "), "First?", "asked")
    world:pass(DRAWN_S)
    dialog(world).tap("1")
    world:pass(DRAWN_S)
    equal(table.concat(asked(world), " "), "First? Second?", "asked after the answer")
    dialog(world).tap_outside()
    world:pass(60)
    equal(#asked(world), 2, "asked in the end")
end)

test("of a result not more than five are asked", function(folder)
    local questions = {}
    for index = 1, 7 do questions[index] = rating({ id = "question-" .. index }) end
    local world = closed(folder, unpack(questions))
    for _ = 1, 5 do
        world:pass(DRAWN_S)
        dialog(world).tap("1")
    end
    world:pass(60)
    equal(#asked(world), 5, "asked")
end)

-- ------------------------------------------------------------------------------------------------ once

test("what was answered is not asked again, and neither is what was dismissed", function(folder)
    local world, front_end = closed(folder, rating(), rating({ id = "other" }))
    world:pass(DRAWN_S)
    dialog(world).tap("1")
    world:pass(DRAWN_S)
    dialog(world).tap_outside()
    world:pass(1)
    Check.answer(world, 2)
    world:pass(2)
    Check.answer(world, 3)
    world:pass(2)
    front_end:open(Check.book(folder))
    front_end:close()
    answer(world, 4, rating(), rating({ id = "other" }))
    equal(#asked(world), 2, "asked")
end)

test("what was dismissed is asked again when the reader taps for it", function(folder)
    local world, front_end = closed(folder, rating())
    world:pass(DRAWN_S)
    dialog(world).tap_outside()
    world:pass(1)
    Check.answer(world, 2)
    world:pass(2)
    front_end:send("BookloreSync")
    answer(world, 3, rating())
    equal(#asked(world), 2, "asked")
end)

test("an answer does not bring back what was dismissed before, but may ask its own question anew", function(folder)
    local world = closed(folder, rating(), rating({ id = "match-3", text = "Which book?" }))
    world:pass(DRAWN_S)
    dialog(world).tap_outside()
    world:pass(DRAWN_S)
    Check.answer(world, 2)
    world:pass(2)
    dialog(world).tap("1")
    answer(world, 3, rating(), rating({ id = "match-3", text = "Which of these?" }))
    local texts = asked(world)
    equal(#texts, 3, "asked")
    equal(texts[3], "Which of these?", "the last one")
end)

test("a question that is on the screen is not put there a second time", function(folder)
    local world, front_end = closed(folder, rating())
    front_end:send("BookloreSync")
    answer(world, 2, rating())
    equal(#asked(world), 1, "asked")
end)

test("after a new start of KOReader it is asked again", function(folder)
    local world, front_end = closed(folder, rating())
    world:pass(DRAWN_S)
    dialog(world).tap_outside()
    world:pass(1)
    Check.answer(world, 2)
    world:pass(2)
    front_end:exit()
    front_end = Check.start_again(world)
    front_end:open(Check.book(folder))
    front_end:close()
    answer(world, 3, rating())
    equal(#asked(world), 2, "asked")
end)

test("the questions of a run at exit are asked at the next start", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:exit()
    Check.answer(world, 1, { questions = { rating() } })
    Check.start_again(world)
    world:pass(2)
    equal(#asked(world), 1, "asked")
    no_errors(world)
end)

-- ------------------------------------------------------------------------------------------------ where it belongs

test("a question between books is asked in the browser, and dropped while a book is open", function(folder)
    local question = rating({ when = "between_books" })
    local world = closed(folder, question)
    equal(#asked(world), 1, "asked in the browser")
    world = opened(folder, question)
    world:pass(60)
    equal(#asked(world), 0, "asked in a book")
end)

test("a question about a book is asked only while that book is open", function(folder)
    local question = rating({ when = "book", book = folder .. "/Moby Dick.epub" })
    local world = opened(folder, question)
    equal(#asked(world), 1, "asked in the book")
    world = closed(folder, question)
    world:pass(60)
    equal(#asked(world), 0, "asked in the browser")
    world = opened(folder, rating({ when = "book", book = folder .. "/Typee.epub" }))
    world:pass(60)
    equal(#asked(world), 0, "asked in another book")
end)

test("a question between books that waited is dropped when a book is opened", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:close()
    front_end:open(Check.book(folder))
    answer(world, 1, rating({ when = "between_books" }))
    front_end:close()
    world:pass(60)
    equal(#asked(world), 0, "asked")
end)

test("a question about the open book goes away with it, unanswered", function(folder)
    local world, front_end = opened(folder, rating({ when = "book", book = folder .. "/Moby Dick.epub" }))
    front_end:close()
    world:pass(1)
    equal(world:top_window().kind, nil, "window on top")
    Check.answer(world, 2)
    world:pass(30)
    front_end:open(Check.book(folder))
    world:pass(4)
    answer(world, 3, rating({ when = "book", book = folder .. "/Moby Dick.epub" }))
    equal(#asked(world), 2, "asked")
    equal(Check.starts(world), 3, "starts")
    no_errors(world)
end)

test("a question that a new window covers comes to the top again", function(folder)
    local world, front_end = closed(folder, rating())
    front_end:open(Check.book(folder))
    world:pass(1)
    equal(dialog(world).text, "How do you like “Moby Dick”?", "on top")
    equal(#world.windows, 2, "windows")
end)

-- ------------------------------------------------------------------------------------------------ not disturbing

test("a page turn that was under way neither answers nor dismisses a question", function(folder)
    local world = opened(folder, rating())
    world.monotonic_us = world.monotonic_us - 1800000 -- right after it appeared
    dialog(world).tap_outside()
    dialog(world).tap("1")
    world:pass(2)
    equal(dialog(world).kind, "ButtonDialog", "on top")
    equal(Check.starts(world), 1, "starts")
end)

for _, what in ipairs({ "InfoMessage", "menu" }) do
    test(("a question waits until the reader has closed the %s in front of her"):format(what), function(folder)
        local world, front_end = Check.koreader(folder)
        front_end:open(Check.book(folder))
        front_end:close()
        local window = { kind = what, handleEvent = function() return false end }
        local manager = package.loaded["ui/uimanager"]
        manager:show(window)
        answer(world, 1, rating())
        world:pass(60)
        equal(#asked(world), 0, "asked while it is there")
        manager:close(window)
        world:pass(15)
        equal(#asked(world), 1, "asked afterwards")
    end)
end

test("a message that passes by does not hold a question up", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:close()
    Check.answer(world, 1, { messages = { { level = "info", text = "1 session sent" } }, questions = { rating() } })
    world:pass(1)
    equal(#asked(world), 1, "asked")
end)

test("a finger on a word is not interrupted", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end.window.highlight = { hold_pos = { x = 1, y = 2 } }
    world:pass(3.5)
    answer(world, 1, rating())
    equal(#asked(world), 0, "asked during the selection")
    front_end.window.highlight.hold_pos = nil
    world:pass(15)
    equal(#asked(world), 1, "asked afterwards")
end)

test("a question that finds no moment within ten minutes is dropped, and nothing goes on looking", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:close()
    local window = { handleEvent = function() return false end }
    package.loaded["ui/uimanager"]:show(window)
    answer(world, 1, rating())
    world:pass(11 * 60)
    package.loaded["ui/uimanager"]:close(window)
    equal(#world.queue, 0, "scheduled tasks")
    world:pass(60)
    equal(#asked(world), 0, "asked")
end)

test("nothing is asked of a device that falls asleep; it is when it has woken up and drawn its page", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    world:pass(3.5)
    front_end:suspend(false)
    answer(world, 1, rating())
    world:pass(12)
    equal(#asked(world), 0, "asked while it falls asleep")
    world:sleep(8 * 3600)
    front_end:resume()
    world:pass(2)
    equal(#asked(world), 0, "asked at once")
    world:pass(2)
    equal(#asked(world), 1, "asked")
end)

test("a device that does not say that it has woken up is asked after a page turn", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    world:pass(3.5)
    front_end:suspend(false)
    answer(world, 1, rating())
    front_end:turn(13)
    world:pass(15)
    equal(#asked(world), 1, "asked")
end)

for _, way in ipairs({ "usb_storage", "power_off", "reboot", "exit", "restart" }) do
    test(("a question that %s closes is neither answered nor dismissed"):format(way), function(folder)
        local world, front_end = closed(folder, rating())
        world:pass(DRAWN_S)
        front_end[way](front_end)
        world:pass(60)
        equal(Check.starts(world), 1, "starts")
        equal(#Check.names(folder .. "/bookloresync/jobs"), 0, "job files")
        no_errors(world)
    end)
end

test("a question that somebody else took off the screen does not keep others from being asked", function(folder)
    local world, front_end = closed(folder, rating())
    package.loaded["ui/uimanager"]:close(dialog(world))
    front_end:send("BookloreSync")
    answer(world, 2, rating({ id = "other", text = "Another?" }))
    equal(dialog(world).text, "Another?", "on top")
end)

-- ------------------------------------------------------------------------------------------------ input

local function match(input)
    return rating({ id = "match-3", text = "Which book is this?", columns = 1, answers = {
        { label = "Moby Dick", verb = "match", arguments = { book_id = 3, value = 77 } },
        { label = "Another…", verb = "match", arguments = { book_id = 3 }, input = input, hint = "Title" },
    } })
end

--- The input dialog of that question.
local function entering(folder, input)
    local world = closed(folder, match(input))
    world:pass(DRAWN_S)
    dialog(world).tap("Another…")
    local entry = world:top_window()
    equal(entry.kind, "InputDialog", "on top")
    return world, entry
end

test("an answer that needs a text asks for it and sends it as the value", function(folder)
    local world, entry = entering(folder, "text")
    equal(entry.input_hint, "Title", "hint")
    equal(entry.has_keyboard, true, "keyboard")
    entry.typed = "  Typee  "
    entry.tap("OK")
    equal(world.spawned[2].job.verb, "match", "verb")
    equal(world.spawned[2].job.arguments.value, "Typee", "value")
    equal(world.spawned[2].job.arguments.book_id, 3, "book_id")
    equal(world:top_window().kind, nil, "on top")
end)

test("an answer that needs a number sends a number", function(folder)
    local world, entry = entering(folder, "number")
    equal(entry.input_type, "number", "keyboard of numbers")
    entry.typed = "42"
    entry.tap("OK")
    equal(world.spawned[2].job.arguments.value, 42, "value")
end)

for _, typed in ipairs({ "", "   ", "many", "nan", "inf", "-inf", "1e999" }) do
    test(("%q is no number, and stays on the screen"):format(typed), function(folder)
        local world, entry = entering(folder, "number")
        entry.typed = typed
        entry.tap("OK")
        equal(world:top_window(), entry, "on top")
        equal(Check.starts(world), 1, "starts")
    end)
end

test("a text longer than an argument may be stays on the screen", function(folder)
    local world, entry = entering(folder, "text")
    entry.typed = ("x"):rep(4001)
    entry.tap("OK")
    equal(world:top_window(), entry, "on top")
end)

test("who does not want to type after all is back at the question", function(folder)
    local world, entry = entering(folder, "text")
    entry.tap("Cancel")
    equal(dialog(world).text, "Which book is this?", "on top")
    world:pass(DRAWN_S)
    dialog(world).tap("Moby Dick")
    equal(world.spawned[2].job.arguments.value, 77, "value")
end)

test("a book that is opened while somebody types does not take the words away", function(folder)
    local world, entry = entering(folder, "text")
    process().questions:windows_changed()
    world:pass(1)
    equal(world:top_window(), entry, "on top")
end)

-- ------------------------------------------------------------------------------------------------ changes

test("an answer with a change makes it at once, and sends its verb", function(folder)
    local book = folder .. "/Moby Dick.epub"
    local question = rating({ when = "book", book = book, answers = {
        {
            label = "Go there", verb = "position", arguments = { book_id = 12, fraction = 0.5, go = true },
            change = { kind = "position", file = book, fraction = 0.5 },
        },
        { label = "Stay", verb = "position", arguments = { book_id = 12, fraction = 0.5, go = false } },
    } })
    local world, front_end = opened(folder, question)
    world:pass(DRAWN_S)
    dialog(world).tap("Go there")
    equal(front_end.book.page, 300, "page")
    equal(world.spawned[2].job.verb, "position", "verb")
    equal(world.spawned[2].job.arguments.go, true, "go")
    no_errors(world)
end)

test("the change of an answer is reported too, if it has an id", function(folder)
    local book = folder .. "/Moby Dick.epub"
    local change = { id = "12-rating", kind = "rating", file = book, from = 4, to = 2 }
    local world = closed(folder, rating({ answers = { { label = "Two", change = change } } }))
    world:pass(DRAWN_S)
    dialog(world).tap("Two")
    equal(world.sidecars[book].summary.rating, 2, "stars")
    equal(world.spawned[2].job.verb, "applied", "verb")
    equal(world.spawned[2].job.arguments["12-rating"], "done", "outcome")
    equal(world.spawned[2].job.reason, "tap", "reason")
end)

-- ------------------------------------------------------------------------------------------------ broken ones

local BROKEN = {
    ["text"] = "?", ["number"] = 7, ["null"] = cjson.null, ["nothing"] = {},
    ["no id"] = rating({ id = cjson.null }), ["an id that is a number"] = rating({ id = 7 }),
    ["an endless id"] = rating({ id = ("x"):rep(65) }), ["no text"] = rating({ text = cjson.null }),
    ["blanks for a text"] = rating({ text = " \n " }), ["an unknown time"] = rating({ when = "at_night" }),
    ["no time"] = rating({ when = cjson.null }), ["no book for the time of one"] = rating({ when = "book" }),
    ["no answers"] = rating({ answers = {} }), ["answers that are a text"] = rating({ answers = "yes" }),
    ["an answer that is a text"] = rating({ answers = { "yes" } }),
    ["an answer without a label"] = rating({ answers = { { verb = "rate" } } }),
    ["a verb that is more than a word"] = rating({ answers = { { label = "Yes", verb = "rate; reboot" } } }),
    ["arguments that are no plain values"] = rating({
        answers = { { label = "Yes", verb = "rate", arguments = { a = { b = 1 } } } },
    }),
    ["an input of an unknown kind"] = rating({ answers = { { label = "Yes", verb = "rate", input = "date" } } }),
    ["an input for nobody"] = rating({ answers = { { label = "Yes", input = "text" } } }),
    ["a change that is a text"] = rating({ answers = { { label = "Yes", change = "all" } } }),
    ["a dismissal without a verb"] = rating({ dismissed = { arguments = { a = 1 } } }),
    ["a dismissal that is a text"] = rating({ dismissed = "rate" }),
}
BROKEN["too many answers"] = rating({ answers = {} })
for index = 1, 21 do BROKEN["too many answers"].answers[index] = { label = tostring(index) } end

for what, question in pairs(BROKEN) do
    test(("a question with %s is not asked, the one after it is"):format(what), function(folder)
        local world = closed(folder, question, rating({ id = "good", text = "And this?" }))
        equal(table.concat(asked(world), " "), "And this?", "asked")
        no_errors(world)
    end)
end

for _, questions in ipairs({ "text", 7, cjson.null, { a = 1 } }) do
    test(("questions that are %s disturb nobody"):format(tostring(questions)), function(folder)
        local world, front_end = Check.koreader(folder)
        front_end:open(Check.book(folder))
        front_end:close()
        Check.answer(world, 1, { questions = questions, changes = questions })
        world:pass(5)
        equal(#world.shown, 0, "windows")
        no_errors(world)
    end)
end

test("a text that would not leave room for the answers is cut before a character", function(folder)
    local world = closed(folder, rating({ text = "x" .. ("é"):rep(400) }), rating({ id = "b", text = ("y\n"):rep(50) }))
    equal(dialog(world).text, "x" .. ("é"):rep(299) .. "…", "text")
    world:pass(DRAWN_S)
    dialog(world).tap("1")
    world:pass(1)
    equal(select(2, dialog(world).text:gsub("y", "")), 12, "lines")
end)

test("an error while a question is shown stays in the log", function(folder)
    local world, front_end = Check.koreader(folder)
    front_end:open(Check.book(folder))
    front_end:close()
    package.loaded["ui/widget/buttondialog"].new = function() error("no room for a title") end
    answer(world, 1, rating())
    equal(#world.errors, 1, "logged errors")
    equal(world.standby_prevented, 0, "standby")
    front_end:open(Check.book(folder))
    front_end:close()
    equal(Check.starts(world), 2, "starts")
end)
