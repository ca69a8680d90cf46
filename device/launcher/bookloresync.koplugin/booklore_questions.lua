--- Questions that a result brings: which is asked, when the reader is free for it, and what becomes of the answer.
--
-- Promises: one question at a time, and only over the bare page or file browser of a device that is awake; whatever
-- else is on the screen is finished first. Nobody is asked twice what she answered or dismissed since KOReader started.
-- A question that is broken, or waits for too long, is dropped: the worker brings it again. An answer that is a change
-- is a job on disk before anything else happens. Never raises, knows no text of the worker's.
-- Called by the worker facade and main.lua. It belongs to the process. Law: docs/protocol.md, "Questions".

local Json = require("booklore_json")

local QUESTIONS_MOST = 5 -- of a result, and waiting
local ANSWERS_MOST, COLUMNS_MOST = 20, 5
local ID_LIMIT_BYTES, LABEL_LIMIT_BYTES = 64, 1000
-- A dialog does not scroll what it asks; on the smallest screens more than this would leave no room for the answers.
local TEXT_LIMIT_BYTES, TEXT_LINES_MOST = 600, 12
local VALUE_LIMIT_BYTES = 4000 -- of an argument
local LOOK_FIRST_S, LOOK_LONGEST_S, LOOK_GROWTH = 1, 15, 1.5
local WAITING_MOST_S = 10 * 60 -- after that it may well be out of date
local WAKE_SETTLES_S = 3 -- the page should be drawn first, and the reader see where she is

local Questions = {}
Questions.__index = Questions

--- @param deps table
--   ui           UIManager
--   clock        {monotonic_ms = fn}
--   open_book    fn → string|nil, absolute path of the book that is open
--   is_free      fn → boolean, whether the device is awake and nothing but the page or the browser on its screen
--   choose       fn(text, rows, on_answer, on_dismissed) → {close = fn, is_shown = fn}, rows being lists of answers
--   enter        fn(entry, on_value, on_cancelled) → the same, entry being {title, hint, is_number}
--   is_verb      fn(text) → boolean
--   send         fn(order, reason, question_id), order being {verb, arguments|nil}
--   change       fn(change), makes it at once
--   log_error    fn(text)
function Questions:new(deps)
    local questions = setmetatable({ deps = deps, waiting = {}, settled = {}, look_s = LOOK_FIRST_S }, self)
    -- KOReader does not catch errors of scheduled actions.
    questions.look = function() questions:_guarded(questions._look) end
    return questions
end

--- @param list any what the result has
-- @param origin table {reason, tapped, question}: of the run whose result it is, `tapped` if the reader asked for it
--   herself, `question` the id of the question that it answered
function Questions:ask(list, origin)
    if type(list) ~= "table" then return end
    for index = 1, math.min(#list, QUESTIONS_MOST) do
        self:_guarded(function()
            local question = self:_read(list[index])
            if question then self:_take(question, origin) end
        end)
    end
    self:_look_again(0)
end

--- A book has been opened or closed: windows have changed places, and what was asked may be pointless.
function Questions:windows_changed()
    self.deps.ui:nextTick(function() self:_guarded(self._start_over) end)
end

function Questions:woke_up()
    if #self.waiting > 0 then self:_look_again(WAKE_SETTLES_S) end
end

--- KOReader exits only when no window is left, so ours must not be the last. What was asked comes again.
function Questions:leave()
    self.deps.ui:unschedule(self.look)
    self.waiting = {}
    local asked = self.asked
    self.asked = nil
    self:_guarded(function()
        if asked and asked.window.is_shown() then asked.window.close() end
    end)
end

-- ------------------------------------------------------------------------------------------------ what is asked

function Questions:_order(described)
    local arguments = Json.present(described.arguments)
    local flat = Json.flat(arguments or {})
    if not self.deps.is_verb(described.verb) or not flat then return nil end
    return { verb = described.verb, arguments = arguments and flat }
end

--- @return table|nil {label, order|nil, input|nil, hint|nil, change|nil}
function Questions:_read_answer(given)
    if type(given) ~= "table" or type(given.label) ~= "string" or #given.label > LABEL_LIMIT_BYTES then return nil end
    local input, change = Json.present(given.input), Json.present(given.change)
    local answer = { label = given.label, input = input, change = change }
    if Json.present(given.verb) ~= nil then
        answer.order = self:_order(given)
        if not answer.order then return nil end
    end
    if input ~= nil and not (answer.order and (input == "text" or input == "number")) then return nil end
    if change ~= nil and type(change) ~= "table" then return nil end
    answer.hint = type(given.hint) == "string" and given.hint or nil
    return answer
end

--- Cut before a character, not inside it.
local function shortened(text)
    local lines = {}
    for line in (text .. "\n"):gmatch("([^\n]*)\n") do
        if #lines < TEXT_LINES_MOST then lines[#lines + 1] = line end
    end
    local short = table.concat(lines, "\n")
    if #short <= TEXT_LIMIT_BYTES then return short end
    local last = TEXT_LIMIT_BYTES
    while last > 0 and short:byte(last + 1) >= 0x80 and short:byte(last + 1) < 0xC0 do last = last - 1 end
    return short:sub(1, last) .. "…"
end

local WHEN = { now = true, between_books = true, book = true }

--- Half a question is none: what has one answer that cannot be understood is not asked.
function Questions:_read(given)
    if type(given) ~= "table" or type(given.id) ~= "string" or #given.id > ID_LIMIT_BYTES then return nil end
    if type(given.text) ~= "string" or not given.text:find("%S") or not WHEN[given.when] then return nil end
    local list, columns = given.answers, given.columns
    if type(list) ~= "table" or #list < 1 or #list > ANSWERS_MOST then return nil end
    if given.when == "book" and type(given.book) ~= "string" then return nil end
    local question = { id = given.id, text = shortened(given.text), when = given.when, book = given.book, rows = {} }
    if type(columns) ~= "number" or columns % 1 ~= 0 or columns < 1 or columns > COLUMNS_MOST then columns = 1 end
    for index = 1, #list do
        local answer = self:_read_answer(list[index])
        if not answer then return nil end
        if (index - 1) % columns == 0 then table.insert(question.rows, {}) end
        table.insert(question.rows[#question.rows], answer)
    end
    local dismissed = Json.present(given.dismissed)
    if dismissed ~= nil then
        question.dismissed = type(dismissed) == "table" and self:_order(dismissed) or nil
        if not question.dismissed then return nil end
    end
    return question
end

-- ------------------------------------------------------------------------------------------------ when it is asked

function Questions:_take(question, origin)
    if self.asked and self.asked.question.id == question.id then return end
    question.asked_again = origin.tapped or origin.question == question.id
    question.reason = origin.reason
    question.since_ms = self.deps.clock.monotonic_ms()
    for index, other in ipairs(self.waiting) do
        if other.id == question.id then
            question.asked_again = question.asked_again or other.asked_again
            self.waiting[index] = question
            return
        end
    end
    if #self.waiting < QUESTIONS_MOST then table.insert(self.waiting, question) end
end

function Questions:_is_due(question)
    if self.settled[question.id] and not question.asked_again then return false end
    if self.deps.clock.monotonic_ms() - question.since_ms > WAITING_MOST_S * 1000 then return false end
    local book = self.deps.open_book()
    if question.when == "between_books" then return book == nil end
    return question.when == "now" or book == question.book
end

function Questions:_look()
    if self.asked and (self.asked.is_closing or self.asked.window.is_shown()) then return end
    self.asked = nil
    local due = {}
    for _, question in ipairs(self.waiting) do
        if self:_is_due(question) then due[#due + 1] = question end
    end
    self.waiting = due
    if #due == 0 then return end
    if self.deps.is_free() then return self:_show(table.remove(due, 1)) end
    self.look_s = math.min(self.look_s * LOOK_GROWTH, LOOK_LONGEST_S)
    self.deps.ui:scheduleIn(self.look_s, self.look)
end

--- @param delay_s number 0: now
function Questions:_look_again(delay_s)
    self.deps.ui:unschedule(self.look)
    self.look_s = LOOK_FIRST_S
    if delay_s == 0 then self.look() else self.deps.ui:scheduleIn(delay_s, self.look) end
end

function Questions:_start_over()
    local asked = self.asked
    if asked and not asked.is_entering and not asked.is_closing and asked.window.is_shown() then
        self.asked = nil
        asked.window.close()
        table.insert(self.waiting, 1, asked.question)
    end
    if #self.waiting > 0 then self:_look_again(0) end
end

-- ------------------------------------------------------------------------------------------------ what is answered

function Questions:_show(question)
    local function answered(answer) self:_guarded(function() self:_answer(question, answer) end) end
    -- KOReader closes its dialogs the same way when power or storage goes. Then there is no next tick, or no worker.
    local function dismissed()
        self.asked.is_closing = true
        self.deps.ui:nextTick(function() self:_guarded(function() self:_dismiss(question) end) end)
    end
    self.asked = { question = question, window = self.deps.choose(question.text, question.rows, answered, dismissed) }
end

--- Whether this question has just been closed, and nobody else has ended it before.
function Questions:_end(question)
    if not self.asked or self.asked.question ~= question then return false end
    if self.asked.window.is_shown() then self.asked.window.close() end
    self.asked = nil
    return true
end

function Questions:_answer(question, answer)
    if not self:_end(question) then return end
    if answer.input then return self:_enter(question, answer) end
    self:_carry_out(question, answer, answer.order)
end

function Questions:_dismiss(question)
    if not self:_end(question) then return end
    self.settled[question.id] = true
    if question.dismissed then self.deps.send(question.dismissed, question.reason) end
    self:_look_again(0)
end

--- Back from the input means back to the question.
function Questions:_enter(question, answer)
    local function entered(value)
        self:_guarded(function()
            if not self:_end(question) then return end
            local arguments = Json.flat(answer.order.arguments or {})
            arguments.value = value
            self:_carry_out(question, answer, { verb = answer.order.verb, arguments = arguments })
        end)
    end
    local function cancelled()
        self:_guarded(function()
            if self:_end(question) then self:_show(question) end
        end)
    end
    local entry = {
        title = question.text, hint = answer.hint, is_number = answer.input == "number",
        limit_bytes = VALUE_LIMIT_BYTES,
    }
    self.asked = { question = question, is_entering = true, window = self.deps.enter(entry, entered, cancelled) }
end

function Questions:_carry_out(question, answer, order)
    self.settled[question.id] = true
    if order then self.deps.send(order, "tap", question.id) end
    if answer.change then self.deps.change(answer.change) end
    self:_look_again(0)
end

function Questions:_guarded(action)
    local ok, problem = pcall(action, self)
    if not ok then self.deps.log_error(problem) end
end

return Questions
