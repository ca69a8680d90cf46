--- The windows that the launcher borrows from KOReader: a line or a message to read, a question, a number to pick.
--
-- Promises: shows and returns at once; what the reader answers comes by a call. Knows no text of its own.
-- Called by the worker facade and the menu, through booklore_process.

local ConfirmBox = require("ui/widget/confirmbox")
local InfoMessage = require("ui/widget/infomessage")
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

return Dialogs
