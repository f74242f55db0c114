// What events about slash commands do to a snapshot; twin of the fold in protocol/slash.py.

export const SLASH = {
  "slash.registered"({ slash }, { bot, commands }) {
    if (commands.length) slash[bot.user_id] = { bot, commands };
    else delete slash[bot.user_id];
  },
};
