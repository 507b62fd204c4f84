//! The model by itself, asked by hand: what every dialect shows, and what it gets back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Model;
use super::conversation::{Call, Conversation, Message, SEARCH, Tool, WRAPPER};
use super::dialect::Dialect;
use super::script::Script;
use super::turn::{Answer, Failure, Turn};

/// The same conversation in each dialect: a question, a call, its answer.
fn asked(dialect: Dialect) -> (&'static str, Json) {
    let schema = json!({ "type": "object" });
    let arguments = json!({ "name": "a" });
    match dialect {
        Dialect::Anthropic => (
            "/v1/messages?beta=true",
            json!({
                "model": "m",
                "system": [{ "type": "text", "text": "Be brief." }],
                "tools": [{ "name": "mcp__converge__add_job", "description": "Adds.", "input_schema": schema }],
                "messages": [
                    { "role": "user", "content": "Add it." },
                    { "role": "assistant", "content": [
                        { "type": "text", "text": "Adding." },
                        { "type": "tool_use", "id": "t1", "name": "mcp__converge__add_job", "input": arguments },
                    ] },
                    { "role": "user", "content": [
                        { "type": "tool_result", "tool_use_id": "t1",
                          "content": [{ "type": "text", "text": "job-7" }] },
                    ] },
                ],
            }),
        ),
        Dialect::Responses => (
            "/v1/responses",
            json!({
                "model": "m",
                "instructions": "Be brief.",
                "tools": [{ "type": "namespace", "name": "mcp__converge", "tools": [
                    { "type": "function", "name": "add_job", "description": "Adds.", "parameters": schema },
                ] }],
                "input": [
                    { "type": "message", "role": "user",
                      "content": [{ "type": "input_text", "text": "Add it." }] },
                    { "type": "message", "role": "assistant",
                      "content": [{ "type": "output_text", "text": "Adding." }] },
                    { "type": "function_call", "call_id": "c1", "namespace": "mcp__converge",
                      "name": "add_job", "arguments": arguments.to_string() },
                    { "type": "function_call_output", "call_id": "c1", "output": "job-7" },
                ],
            }),
        ),
        Dialect::Chat => (
            "/v1/chat/completions",
            json!({
                "model": "m",
                "tools": [{ "type": "function", "function":
                    { "name": "converge_add_job", "description": "Adds.", "parameters": schema } }],
                "messages": [
                    { "role": "system", "content": "Be brief." },
                    { "role": "user", "content": [{ "type": "text", "text": "Add it." }] },
                    { "role": "assistant", "content": "Adding.", "tool_calls": [{ "id": "c1", "function":
                        { "name": "converge_add_job", "arguments": arguments.to_string() } }] },
                    { "role": "tool", "tool_call_id": "c1", "content": "job-7" },
                ],
            }),
        ),
        Dialect::Gemini => (
            "/v1beta/models/m:generateContent",
            json!({
                "systemInstruction": { "parts": [{ "text": "Be brief." }] },
                "tools": [{ "functionDeclarations": [{
                    "name": "mcp_converge_add_job", "description": "Adds.", "parametersJsonSchema": schema,
                }] }],
                "contents": [
                    { "role": "user", "parts": [{ "text": "Add it." }] },
                    { "role": "model", "parts": [
                        { "text": "Adding." },
                        { "functionCall": { "name": "mcp_converge_add_job", "args": arguments } },
                    ] },
                    { "role": "user", "parts": [{ "functionResponse":
                        { "name": "mcp_converge_add_job", "response": { "output": "job-7" } } }] },
                ],
            }),
        ),
    }
}

const DIALECTS: [(Dialect, Option<&str>, &str); 4] = [
    (Dialect::Anthropic, None, "mcp__converge__add_job"),
    (Dialect::Responses, Some("mcp__converge"), "add_job"),
    (Dialect::Chat, None, "converge_add_job"),
    (Dialect::Gemini, None, "mcp_converge_add_job"),
];

#[test]
fn every_dialect_shows_the_same_conversation() {
    for (dialect, namespace, name) in DIALECTS {
        let namespace = namespace.map(str::to_owned);
        let call =
            Call { namespace: namespace.clone(), name: name.to_owned(), arguments: json!({ "name": "a" }) };
        let expected = Conversation {
            system: "Be brief.".to_owned(),
            tools: vec![Tool {
                namespace,
                name: name.to_owned(),
                description: "Adds.".to_owned(),
                schema: json!({ "type": "object" }),
            }],
            messages: vec![
                Message::User("Add it.".to_owned()),
                Message::Model { text: "Adding.".to_owned(), calls: vec![call] },
                Message::Result { tool: name.to_owned(), text: "job-7".to_owned() },
            ],
        };
        let shown = dialect.read(&asked(dialect).1);
        assert_eq!(shown, expected);
        assert_eq!(shown.turns(), 1);
        assert_eq!(shown.result_of("add_job"), Some("job-7"));
        assert_eq!((shown.last_result(), shown.find("[0-9]+").as_str()), ("job-7", "7"));
    }
}

#[test]
fn every_dialect_is_answered_whole_and_in_a_stream() {
    for (dialect, _, name) in DIALECTS {
        let turn = Turn::call("add_job", json!({ "id": 3 })).and_call("add_job", json!({ "id": 4 }));
        let model =
            Model::start(Script::new().call("not_asked_for", json!({})).turn(turn.with_tokens(11, 22)));
        let (path, mut body) = asked(dialect);
        let whole = post(&model, path, &body).body;
        body["stream"] = true.into();
        let stream = post(&model, &path.replace(":generate", ":streamGenerate"), &body).body;
        assert!(stream.contains("data: ") && !whole.contains("data: "), "{stream}");
        for text in [whole, stream] {
            for part in [name, r#""id":3"#, r#""id":4"#, "22"] {
                let plain = text.replace('\\', "");
                assert!(plain.contains(part), "`{part}` is not in {dialect:?} {text}");
            }
        }
    }
}

#[test]
fn every_dialect_has_errors_of_its_own() {
    let kinds = [
        (Failure::invalid("no"), ["invalid_request_error", "invalid_request", "INVALID_ARGUMENT"]),
        (Failure::auth("no"), ["authentication_error", "invalid_api_key", "UNAUTHENTICATED"]),
        (Failure::quota("no"), ["rate_limit_error", "insufficient_quota", "RESOURCE_EXHAUSTED"]),
        (Failure::overloaded("no"), ["overloaded_error", "server_overloaded", "UNAVAILABLE"]),
    ];
    for (failure, [anthropic, openai, gemini]) in kinds {
        for (dialect, _, _) in DIALECTS {
            let failure = failure.clone().header("retry-after", "7");
            let expected = failure.status;
            let model = Model::start(Script::new().say("").fail(failure));
            let (path, body) = asked(dialect);
            let reply = post(&model, path, &body);
            let (status, word) = match dialect {
                Dialect::Anthropic if anthropic == "overloaded_error" => (529, anthropic),
                Dialect::Anthropic => (expected, anthropic),
                Dialect::Responses | Dialect::Chat => (expected, openai),
                Dialect::Gemini => (expected, gemini),
            };
            assert!(reply.head.starts_with(&format!("HTTP/1.1 {status} ")), "{reply:?}");
            assert!(reply.head.contains("retry-after: 7") && reply.body.contains(word), "{reply:?}");
        }
    }
}

#[test]
fn a_failure_can_pass_and_can_carry_any_document() {
    let failure = Failure::quota("no").body(json!({ "resets": "4am" }));
    let script = Script::new().say("").fail_first(2, failure, Turn::say("well again"));
    let model = Model::start(script);
    let (path, body) = asked(Dialect::Anthropic);
    let replies = [(); 3].map(|()| post(&model, path, &body).body);
    assert_eq!(replies[..2], [r#"{"resets":"4am"}"#, r#"{"resets":"4am"}"#]);
    assert!(replies[2].contains("well again"), "{replies:?}");
}

#[test]
fn a_later_turn_can_use_what_a_tool_answered() {
    let script = Script::new().say("").then(|ask| {
        Turn::call("show_job", json!({ "job": ask.conversation.find("job-[0-9]+"), "asked": ask.repeated }))
    });
    let model = Model::start(script);
    let (path, body) = asked(Dialect::Chat);
    post(&model, path, &body);
    let again = post(&model, path, &body).body.replace('\\', "");
    assert!(again.contains(r#"{"job":"job-7","asked":1}"#), "{again}");
    assert_eq!(model.last(), Dialect::Chat.read(&body));
}

#[test]
fn a_tool_that_a_client_only_names_is_loaded_first() {
    let offered = |name: &str| Tool {
        namespace: None,
        name: name.to_owned(),
        description: String::new(),
        schema: Json::Null,
    };
    let call = |turn: Turn, conversation: &Conversation| match turn {
        Turn::Answer(answer) => {
            let Answer { calls, .. } = answer.addressed(conversation);
            (calls[0].name.clone(), calls[0].arguments.clone())
        }
        Turn::Fail(_) | Turn::Hang => panic!("no answer"),
    };
    let turn = Turn::call("wait", json!({ "run": 1 }));

    let mut claude =
        Conversation { tools: vec![offered(SEARCH), offered("wait")], ..Conversation::default() };
    let (name, query) = call(turn.clone(), &claude);
    assert_eq!((name.as_str(), &query["query"]), (SEARCH, &json!("select:mcp__converge__wait")));
    // It is the client's errand, and made once.
    claude.extend_model("", Some(Call { namespace: None, name, arguments: query }));
    assert_eq!(claude.turns(), 0);
    assert_eq!(call(turn.clone(), &claude).0, "mcp__converge__wait");

    let qwen = Conversation { tools: vec![offered(WRAPPER)], ..Conversation::default() };
    let (name, wrapped) = call(turn, &qwen);
    assert_eq!((name.as_str(), &wrapped["name"]), (WRAPPER, &json!("mcp__converge__wait")));
    assert_eq!(Call::of(None, &name, wrapped).arguments, json!({ "run": 1 }));

    // A tool of the client's own is called as it is named.
    assert_eq!(call(Turn::call_own("wait", json!({})), &claude).0, "wait");
}

#[test]
fn what_is_asked_on_the_side_is_no_turn() {
    let model = Model::start(Script::new().say("Turn."));
    let title = json!({ "messages": [{ "role": "user", "content": "A title, please." }] });
    assert!(post(&model, "/v1/messages", &title).body.contains(r#""text":"ok""#));
    let route = json!({ "contents": [], "generationConfig": { "responseJsonSchema":
        { "type": "OBJECT", "properties": { "score": { "type": "INTEGER" }, "why": { "enum": ["so"] } } } } });
    let routed = post(&model, "/v1beta/models/m:generateContent", &route).body.replace('\\', "");
    assert!(routed.contains(r#"{"score":1,"why":"so"}"#), "{routed}");
    assert_eq!(post(&model, "/v1/messages/count_tokens", &json!({})).body, r#"{"input_tokens":1000}"#);
    assert!(model.turns().is_empty());
    let aside: Vec<String> = model.aside().into_iter().map(|request| request.path).collect();
    assert_eq!(aside, ["/v1/messages", "/v1beta/models/m:generateContent", "/v1/messages/count_tokens"]);
}

#[test]
fn a_connection_carries_many_requests_however_their_bodies_come() {
    let model = Model::start(Script::new().say("").say("Heard."));
    let (path, body) = asked(Dialect::Chat);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(body.to_string().as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let (one, two) = packed.split_at(packed.len() / 2);
    let mut stream = BufReader::new(TcpStream::connect(model.address).unwrap());
    for _ in 0..2 {
        let head = format!(
            "POST {path} HTTP/1.1\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            one.len()
        );
        let middle = format!("\r\n{:X};hint\r\n", two.len());
        let bytes = [head.as_bytes(), one, middle.as_bytes(), two, b"\r\n0\r\n\r\n"].concat();
        stream.get_mut().write_all(&bytes).unwrap();
        assert!(reply(&mut stream).body.contains("Heard."));
    }
    stream.get_mut().write_all(b"GET /v1/models HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").unwrap();
    assert!(reply(&mut stream).head.starts_with("HTTP/1.1 426 "));
    stream.get_mut().write_all(b"HEAD / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(reply(&mut stream).body, "");
    stream.get_mut().write_all(b"GET /v1/models HTTP/1.1\r\n\r\n").unwrap();
    assert!(reply(&mut stream).body.contains("scripted"));
    assert_eq!(model.turns().len(), 2);
}

#[test]
fn a_hanging_request_ends_with_the_model() {
    let model = Model::start(Script::new().say("").hang());
    let (path, body) = asked(Dialect::Gemini);
    let mut stream = send(&model, path, &body);
    model.asked(1, Duration::from_secs(10));
    drop(model);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}

/// What came back: the head with its headers, and the body without its chunks.
#[derive(Debug)]
struct Reply {
    head: String,
    body: String,
}

#[track_caller]
fn post(model: &Model, path: &str, body: &Json) -> Reply {
    reply(&mut send(model, path, body))
}

fn send(model: &Model, path: &str, body: &Json) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(model.address).unwrap();
    let body = body.to_string();
    let length = body.len();
    let request = format!("POST {path} HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    BufReader::new(stream)
}

#[track_caller]
fn reply(stream: &mut BufReader<TcpStream>) -> Reply {
    let mut line = || {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the model hung up");
        line.trim_end().to_owned()
    };
    let mut head = line();
    loop {
        match line() {
            end if end.is_empty() => break,
            header => head = format!("{head}\n{header}"),
        }
    }
    let length = head.lines().find_map(|header| header.strip_prefix("content-length: "));
    let mut bytes = Vec::new();
    if let Some(length) = length {
        stream.take(length.parse().unwrap()).read_to_end(&mut bytes).unwrap();
    } else {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).unwrap();
            let size = u64::from_str_radix(size.trim(), 16).unwrap();
            stream.by_ref().take(size).read_to_end(&mut bytes).unwrap();
            stream.read_line(&mut String::new()).unwrap();
            if size == 0 {
                break;
            }
        }
    }
    Reply { head, body: String::from_utf8(bytes).unwrap() }
}
