# SPDX-License-Identifier: Apache-2.0
# Writes the chronicle of a town that never was: more than 20,000 words, the same bytes on every
# machine. A document this long shows what a stored state saves.
#
#   awk -f examples/chronicle.awk examples/chronicle.grammar > chronicle.txt
#
# The grammar has one phrase a line, "symbol: text". In a text {symbol} stands for any phrase of
# that symbol, {3-14} for a number, and {who=person} for a phrase that {who} repeats.

# Park and Miller's generator: exact in doubles, so that every awk draws the same numbers.
function draw(n) {
  seed = (seed * 16807) % 2147483647
  return seed % n
}

function chance(percent) { return draw(100) < percent }

function resolve(slot,    parts) {
  if (slot in value) return value[slot]
  if (split(slot, parts, "=") == 2) return value[parts[1]] = resolve(parts[2])
  if (slot ~ /^[0-9]+-[0-9]+$/) {
    split(slot, parts, "-")
    return parts[1] + draw(parts[2] - parts[1] + 1)
  }
  if (!(slot in count)) {
    print "chronicle.awk: the grammar has no symbol " slot >"/dev/stderr"
    exit 1
  }
  return expand(phrase[slot, draw(count[slot])])
}

function expand(text,    start, end) {
  while (start = index(text, "{")) {
    end = index(text, "}")
    text = substr(text, 1, start - 1) resolve(substr(text, start + 1, end - start - 1)) \
           substr(text, end + 1)
  }
  return text
}

function say(symbol) { paragraph = paragraph " " expand("{" symbol "}") }

# Writes the paragraph that was said, in lines of at most 100 columns.
function end_paragraph(    words, n, i, line) {
  n = split(paragraph, words, " ")
  if (n == 0) return
  line = words[1]
  for (i = 2; i <= n; i++) {
    if (length(line) + 1 + length(words[i]) > 100) {
      print line
      line = words[i]
    } else {
      line = line " " words[i]
    }
  }
  print line "\n"
  paragraph = ""
}

function season(month) {
  if (month <= 2 || month == 12) return "winter"
  return month >= 6 && month <= 8 ? "summer" : "mild"
}

function month_entries(month) {
  value["month"] = months[month]
  say(season(month) "_weather")
  if (chance(45)) say("river")
  if (chance(70)) say("market")
  if (chance(60)) say("ship")
  end_paragraph()
  if (chance(60)) say("council")
  if (chance(55)) say("people")
  if (chance(35)) say("place_news")
  if (chance(10)) say("dialect")
  if (chance(40)) say("event")
  end_paragraph()
}

function succession(year, office) {
  if (year - since[office] <= 6 + draw(9)) return
  value["office"] = office
  value["old"] = value[office]
  value["new"] = expand("{person}")
  say("succession")
  value[office] = value["new"]
  since[office] = year
}

function year_entries(year,    month) {
  print "## " year "\n"
  value["year"] = year
  value["inhabitants"] += draw(136) - 40
  say("year_opening")
  succession(year, "mayor")
  succession(year, "harbour master")
  end_paragraph()
  for (month = 1 + draw(4); month <= 12; month += 3 + draw(2)) month_entries(month)
}

/^[a-z_]+: / {
  symbol = substr($1, 1, length($1) - 1)
  phrase[symbol, count[symbol]++] = substr($0, length($1) + 2)
}

END {
  seed = 20011203
  split("January February March April May June July August September October November December",
        months, " ")
  value["inhabitants"] = 3120
  value["mayor"] = expand("{person}")
  since["mayor"] = 1788
  value["harbour master"] = expand("{person}")
  since["harbour master"] = 1785
  print "# The chronicle of Ellerby on the Anse\n"
  say("preface")
  end_paragraph()
  for (year = 1790; year < 1790 + 75; year++) year_entries(year)
}
