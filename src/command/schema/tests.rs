//! What agents are shown is portable, says what is needed, and is small.

use super::*;
use crate::command::{REGISTRY, published};

/// All that an agent pays before it asks for anything, in bytes of JSON: 4,000 tokens.
const BYTES_MOST: usize = 16_000;

#[test]
#[expect(clippy::print_stdout, reason = "the price of each tool is for whoever changes its words")]
fn all_that_an_agent_sees_stays_within_its_budget() {
    let mut total = crate::words::instructions().len();
    for tool in published::tools() {
        let tool = serde_json::to_value(tool).expect("plain data");
        let part = |name: &str| tool.get(name).map_or(0, |part| part.to_string().len());
        let bytes = tool.to_string().len();
        let name = tool["name"].as_str().expect("a name");
        println!(
            "{name:<12} {bytes:>5} bytes: words {}, input {}, output {}",
            part("description"),
            part("inputSchema"),
            part("outputSchema")
        );
        total += bytes + 1;
    }
    println!("all of it    {total:>5} bytes, {} tokens", total.div_ceil(4));
    assert!(total <= BYTES_MOST, "{total} bytes are more than {BYTES_MOST}");
}

#[test]
fn the_published_verbs_are_these() {
    let names: Vec<&str> = published::tools().map(|tool| tool.name).collect();
    let expected = [
        "add_job",
        "update_job",
        "list_jobs",
        "show_job",
        "control_job",
        "remove_job",
        "run_now",
        "run_logs",
        "explain_job",
        "wait",
        "doctor",
    ];
    assert_eq!(names, expected);
}

#[test]
fn no_schema_has_what_some_client_cannot_read() {
    for entry in &REGISTRY {
        for schema in [(entry.input_schema)(), (entry.output_schema)()] {
            assert_eq!(schema["type"], "object", "{}", entry.name);
            let text = Json::Object(schema.clone()).to_string();
            for never in ["$schema", "$ref", "$defs", "\"format\"", "null", "anyOf", "oneOf", "default\":"] {
                assert!(!text.contains(never), "{} has {never}: {text}", entry.name);
            }
            each(&Json::Object(schema["properties"].as_object().expect("properties").clone()), &mut |is| {
                assert!(is["type"].is_string(), "{}: {is} has no type", entry.name);
            });
        }
    }
}

/// Shows every schema among `properties`, and their items, to `look`.
fn each(properties: &Json, look: &mut impl FnMut(&Json)) {
    for is in properties.as_object().expect("properties").values() {
        look(is);
        if let Some(items) = is.get("items") {
            look(items);
        }
    }
}

#[test]
fn lenient_fields_are_shown_with_their_main_type() {
    let schema = (crate::command::find("add_job").expect("a verb").input_schema)();
    let properties = &schema["properties"];
    for (field, kind) in [
        ("every", "string"),
        ("until", "array"),
        ("checks", "array"),
        ("max_runs", "integer"),
        ("manual", "boolean"),
    ] {
        assert_eq!(properties[field]["type"], kind, "{field}");
        assert!(properties[field]["description"].as_str().is_some_and(|words| !words.is_empty()), "{field}");
    }
    assert_eq!(properties["until"]["items"]["type"], "string");
    for field in ["prompt", "agent", "permissions", "session"] {
        assert_eq!(properties[field]["type"], "string", "{field}");
    }
    let more = properties["more"]["description"].as_str().expect("words");
    for rare in [
        "env",
        "env_file",
        "starts_at",
        "ends_at",
        "deadline",
        "max_failures",
        "idle_timeout",
        "memory",
        "retry_delay",
        "start",
    ] {
        assert!(properties[rare].is_null() && more.contains(&format!("{rare}: ")), "{rare}");
    }
}

#[test]
fn the_commonest_call_of_each_verb_fits_its_schema() {
    // Some clients check a call before they pass it on, and know nothing of our leniency.
    for entry in published::entries() {
        let schema = (entry.input_schema)();
        for (name, value) in crate::command::correct::example(entry.name) {
            let kind = match value {
                Json::Array(_) => "array",
                Json::Bool(_) => "boolean",
                Json::Number(_) => "integer",
                Json::String(_) => "string",
                Json::Object(_) | Json::Null => "object",
            };
            assert_eq!(schema["properties"][&name]["type"], kind, "{name} of {}", entry.name);
        }
    }
}

#[test]
fn what_must_be_given_is_said() {
    let required = |verb: &str| {
        let schema = (crate::command::find(verb).expect(verb).input_schema)();
        schema.get("required").cloned().unwrap_or_default()
    };
    assert_eq!(required("control_job"), json!(["action"]));
    assert_eq!(required("show_job"), json!(["job"]));
    // All of them can be meant instead of one.
    assert_eq!(required("update_job"), Json::Null);
    assert_eq!(required("list_jobs"), Json::Null);
}
