// The options of both gRPC C++ peers: each has a value.

#pragma once

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

using Options = std::map<std::string, std::string>;

// Takes `--name value` pairs from the end of the arguments, from `first` on. Ends the process if there is anything else.
inline Options ParseOptions(int argc, char** argv, int first) {
  Options options;
  for (int i = first; i < argc; i += 2) {
    const std::string name = argv[i];
    if (name.rfind("--", 0) != 0 || i + 1 == argc) {
      std::cerr << "not an option with a value: " << name << "\n";
      std::exit(64);
    }
    options[name.substr(2)] = argv[i + 1];
  }
  return options;
}

// The contents of the file that an option names; empty without the option.
inline std::string ReadFile(const Options& options, const std::string& name) {
  const auto option = options.find(name);
  if (option == options.end()) return "";
  std::ifstream file(option->second, std::ios::binary);
  if (!file) {
    std::cerr << "cannot read " << option->second << "\n";
    std::exit(1);
  }
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}
