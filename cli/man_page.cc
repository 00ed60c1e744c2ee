// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <vector>

#include "cli/command_tree.h"
#include "cli/version.h"

namespace statelib::cli {

namespace {

std::vector<const CLI::App*> Below(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// Text as it is: nothing in it is taken for a request, an escape or a hyphen to break at.
std::string Plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\(rs";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
  }
  return out.starts_with(".") ? "\\&" + out : out;
}

std::string Bold(const std::string& text) { return "\\fB" + Plain(text) + "\\fR"; }
std::string Italic(const std::string& text) { return "\\fI" + Plain(text) + "\\fR"; }

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string FlagsText(const CLI::Option& option) {
  std::string text;
  const auto add = [&text](const std::string& flag) {
    text += (text.empty() ? "" : ", ") + Bold(flag);
  };
  for (const std::string& flag : option.get_snames()) add("-" + flag);
  for (const std::string& flag : option.get_lnames()) add("--" + flag);
  if (option.get_items_expected_max() > 0) text += " " + Italic(option.get_type_name());
  return text;
}

std::string EntryText(const CLI::Option& option, const std::string& head) {
  std::string text = ".TP\n" + head + "\n" + Plain(option.get_description());
  const std::string initial = option.get_default_str();
  if (!initial.empty()) text += fmt::format(" (default: {})", Plain(initial));
  return text + ".\n";
}

std::string Synopsis(const CLI::App& app) {
  std::string text = ".SH SYNOPSIS\n" + Bold(FullName(app));
  bool has_options = false;
  std::string arguments;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) {
      has_options = true;
      continue;
    }
    const std::string name =
        Italic(option->get_name()) + (option->get_items_expected_max() > 1 ? "..." : "");
    arguments += option->get_required() ? " " + name : " [" + name + "]";
  }
  if (has_options) text += " [" + Italic("OPTIONS") + "]";
  if (!Below(app).empty()) text += " " + Italic("COMMAND");
  return text + arguments + "\n";
}

std::string Arguments(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) text += EntryText(*option, Italic(option->get_name()));
  return text.empty() ? "" : ".SH ARGUMENTS\n" + text;
}

std::string Options(const CLI::App& app) {
  std::vector<std::string> groups;
  for (const CLI::Option* option : app.get_options()) {
    const std::string group = option->get_group();
    if (!option->get_positional() && !group.empty() &&
        std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  }
  std::string text;
  for (const std::string& group : groups) {
    text += ".SH " + Plain(Upper(group)) + "\n";
    for (const CLI::Option* option : app.get_options())
      if (!option->get_positional() && option->get_group() == group)
        text += EntryText(*option, FlagsText(*option));
  }
  return text;
}

std::string Commands(const CLI::App& app) {
  std::string text;
  std::string group;
  for (const CLI::App* sub : Below(app)) {
    if (sub->get_group() != group) {
      group = sub->get_group();
      text += (text.empty() ? ".SH COMMANDS\n.SS " : ".SS ") + Plain(group) + "\n";
    }
    text += ".TP\n" + Bold(ManPageName(*sub)) + "(1)\n" + Plain(sub->get_description()) + ".\n";
  }
  return text;
}

/// What stands under the options in --help: a line that ends with a colon is a heading, indented
/// lines are as they are, the rest is text.
std::string Footer(const CLI::App& app) {
  std::istringstream lines(app.get_footer());
  std::string text;
  bool is_literal = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("  ");
    if (is_literal && !indented) text += ".EE\n";
    if (!is_literal && indented) text += ".EX\n";
    is_literal = indented;
    if (line.empty())
      text += text.empty() ? "" : ".PP\n";
    else if (!indented && line.ends_with(":"))
      text += ".SH " + Plain(Upper(line.substr(0, line.size() - 1))) + "\n";
    else
      text += Plain(line) + "\n";
  }
  return text + (is_literal ? ".EE\n" : "");
}

std::string SeeAlso(const CLI::App& app) {
  std::vector<std::string> pages;
  const CLI::App* parent = app.get_parent();
  for (const CLI::App* up = parent; up != nullptr; up = up->get_parent())
    pages.push_back(ManPageName(*up));
  if (parent != nullptr && parent->get_parent() != nullptr)
    for (const CLI::App* sibling : Below(*parent))
      if (sibling != &app) pages.push_back(ManPageName(*sibling));
  std::string text;
  for (const std::string& page : pages) text += (text.empty() ? "" : ", ") + Bold(page) + "(1)";
  return text.empty() ? "" : ".SH SEE ALSO\n" + text + "\n";
}

/// A paragraph that is followed by a heading, by another one or by nothing is none.
std::string WithoutStrayBreaks(std::string text) {
  for (const char* after : {".SH", ".PP"}) {
    const std::string stray = std::string(".PP\n") + after;
    for (size_t at = text.find(stray); at != std::string::npos; at = text.find(stray))
      text.erase(at, 4);
  }
  if (text.ends_with(".PP\n")) text.erase(text.size() - 4);
  return text;
}

}  // namespace

std::string ManPageName(const CLI::App& app) {
  std::string name = FullName(app);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string ManPage(const CLI::App& app) {
  const std::string name = ManPageName(app);
  const bool is_root = app.get_parent() == nullptr;
  std::string text = fmt::format(
      "'\\\" -*- coding: utf-8 -*-\n"
      ".TH {} 1 \"\" \"statelib {}\" \"statelib\"\n"
      ".SH NAME\n{} \\- {}\n",
      Plain(Upper(name)), Plain(Version()), Plain(name),
      is_root ? "a library of the states of Mamba models" : Plain(app.get_description()));
  text += Synopsis(app);
  if (is_root) text += ".SH DESCRIPTION\n" + Plain(app.get_description()) + "\n";
  text += Commands(app) + Arguments(app) + Options(app);
  return WithoutStrayBreaks(text + Footer(app)) + SeeAlso(app);
}

}  // namespace statelib::cli
