--- The windows that the launcher borrows from KOReader: something to read, to choose, to pick or to enter.
--
-- Promises: shows and returns at once; what the reader answers comes by a call. Knows no text of the worker's.
-- Called by the worker facade, the menu and the questions, through booklore_process.

local ButtonDialog = require("ui/widget/buttondialog")
local ConfirmBox = require("ui/widget/confirmbox")
local Device = require("device")
local InfoMessage = require("ui/widget/infomessage")
local InputDialog = require("ui/widget/inputdialog")
local Notification = require("ui/widget/notification")
local SpinWidget = require("ui/widget/spinwidget")
local TextViewer = require("ui/widget/textviewer")
local UIManager = require("ui/uimanager")
local _ = require("gettext")

local HELD_STEPS = 5 -- a button held down goes faster
local LINES_MOST = 12 -- of a message; it grows to the size of the screen and then loses its end, a text can be scrolled

local Dialogs = {}

--- A toast by default; what the reader asked for and does not fit into one line, or went wrong, waits to be read.
--- @param messages table list of {level, text}, not empty
function Dialogs.show(messages, tapped)
    local first = messages[1]
    if tapped and (first.level == "error" or #messages > 1 or first.text:find("\n", 1, true)) then
        local texts = {}
        for index = 1, #messages do texts[index] = messages[index].text end
        local text = table.concat(texts, "\n")
        if select(2, text:gsub("\n", "")) >= LINES_MOST then
            UIManager:show(TextViewer:new({ title = _("BookLore Sync"), text = text }))
        else
            UIManager:show(InfoMessage:new({ text = text }))
        end
    else
        UIManager:show(Notification:new({ text = first.text:match("^[^\r\n]*") }))
    end
end

function Dialogs.ask(text, on_yes)
    UIManager:show(ConfirmBox:new({ text = text, ok_callback = on_yes }))
end

--- @param number table {title, value, least, most, step, precision, unit}
function Dialogs.pick(number, on_value)
    UIManager:show(SpinWidget:new({
        title_text = number.title, value = number.value, value_min = number.least, value_max = number.most,
        value_step = number.step, value_hold_step = number.step * HELD_STEPS, precision = number.precision,
        unit = number.unit, callback = function(spin) on_value(spin.value) end,
    }))
end

local function window(widget)
    return {
        close = function() UIManager:close(widget) end,
        is_shown = function() return UIManager:isWidgetShown(widget) end,
    }
end

--- @param rows table lists of answers with a `label`
-- @param on_dismissed fn, told when the reader closes it without an answer
-- @return table {close = fn, is_shown = fn}
function Dialogs.choose(text, rows, on_answer, on_dismissed)
    local buttons = {}
    for index, row in ipairs(rows) do
        buttons[index] = {}
        for position, answer in ipairs(row) do
            buttons[index][position] = { text = answer.label, callback = function() on_answer(answer) end }
        end
    end
    local dialog = ButtonDialog:new({ title = text, buttons = buttons, tap_close_callback = on_dismissed })
    UIManager:show(dialog)
    -- It comes unasked: a finger on its way to the next page must neither answer nor dismiss it.
    Device.input:inhibitInputUntil(true)
    return window(dialog)
end

--- @param entry table {title, hint|nil, is_number, limit_bytes}; what cannot be taken stays on the screen
-- @return table {close = fn, is_shown = fn}
function Dialogs.enter(entry, on_value, on_cancelled)
    local dialog
    local function take()
        local text = dialog:getInputText():match("^%s*(.-)%s*$")
        if text == "" or #text > entry.limit_bytes then return end
        if not entry.is_number then return on_value(text) end
        local number = text:find("%d") and tonumber(text) -- LuaJIT takes "nan" and "inf" for numbers
        if number and math.abs(number) < math.huge then on_value(number) end
    end
    dialog = InputDialog:new({
        title = entry.title, input_hint = entry.hint, input_type = entry.is_number and "number" or nil,
        buttons = { {
            { text = _("Cancel"), id = "close", callback = on_cancelled },
            { text = _("OK"), is_enter_default = true, callback = take },
        } },
    })
    UIManager:show(dialog)
    dialog:onShowKeyboard()
    return window(dialog)
end

return Dialogs
