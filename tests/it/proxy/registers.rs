//! `converge mcp --print-config`: how agents are told about the server.

use crate::home::{Home, program};

#[test]
fn every_client_is_told_where_this_program_lies() {
    let home = Home::new();
    let program = program().canonicalize().unwrap();
    let program = program.to_str().unwrap();
    for name in ["claude", "codex", "gemini", "opencode", "copilot", "qwen", "kimi"] {
        let said = home.run(&["mcp", "--print-config", name]).done();
        assert!(said.out.contains(program), "{said:?}");
        let document = home.json(&["mcp", "--print-config", name]);
        assert_eq!(document["client"], name);
        assert!(document["entry"].as_str().unwrap().contains(program), "{document}");
        assert!(name == "kimi" || document["add"].to_string().contains(program), "{document}");
        assert!(said.out.contains(document["allow"]["text"].as_str().unwrap()), "{said:?}");
    }
    let alias = home.run(&["mcp", "--print-config", "claude-code"]).done();
    assert_eq!(alias.out, home.run(&["mcp", "--print-config", "claude"]).done().out);
    home.run(&["mcp", "--print-config", "frobnicator"]).refused(&["claude"]);
    assert!(!home.home().exists(), "showing it starts nothing");
}
