// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_DECLARATION_H_
#define STATELIB_CLI_DECLARATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace CLI {
class App;
}

namespace statelib::cli {

/// Where the value of an argument or an option goes. Outlives the parsing.
using Target = std::variant<std::string*, std::optional<std::string>*, std::vector<std::string>*,
                            int*, uint32_t*, uint64_t*, double*, std::optional<double>*>;

/// What a value may be and how help shows it. FILE, DIR and NAME at the beginning of `shown_as`
/// also tell completion scripts what to offer.
struct Value {
  std::string shown_as = "TEXT";
  bool required = false;
  bool shows_default = false;
  std::vector<std::string> choices = {};
  std::optional<int> at_most = {};
  bool below_zero = false;        ///< whether a number may be
  std::string group = "Options";  ///< the heading in --help
};

/// The arguments, options and examples of one command. It keeps the argument parser's header, which
/// is slow to compile, out of the files of the commands. One thread.
class Declaration {
 public:
  explicit Declaration(CLI::App& app) : app_(app) {}

  /// A word without a flag; a list takes all that remain.
  void Argument(const std::string& name, Target target, const std::string& help,
                const Value& value);
  /// A flag with a value, as "-o,--output"; for a list it may be given several times.
  void Option(const std::string& flags, Target target, const std::string& help, const Value& value);
  /// A switch.
  void Flag(const std::string& flags, bool& target, const std::string& help,
            const std::string& group = "Options");
  /// Two options that may not be given together.
  void Exclude(const std::string& flag, const std::string& other);
  /// Command lines that --help shows, one a line.
  void Examples(const std::string& lines);

 private:
  CLI::App& app_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_DECLARATION_H_
