"""The launcher under plain LuaJIT, driven by the event orders that KOReader really sends."""
