use serde_json::json;

use super::*;

const SOON: Duration = Duration::from_secs(1);

struct Talk {
    session: Session,
    now: Instant,
}

impl Talk {
    fn new() -> Self {
        Self { session: Session::new("p".to_owned()), now: Instant::now() }
    }

    fn connected() -> Self {
        let mut talk = Self::new();
        talk.session.connected("1", Instant::now());
        talk
    }

    fn say(&mut self, message: &Json) {
        self.session.client_says(Line::Whole(message.to_string().into_bytes()), self.now);
    }

    fn hear(&mut self, message: &Json) {
        self.session.daemon_says(Line::Whole(message.to_string().into_bytes()));
    }

    /// Loses the connection, which was just made.
    fn lose(&mut self) {
        self.session.lost(self.now, self.now);
    }

    /// Loses the connection and gets another, to this version.
    fn reconnect(&mut self, version: &str) {
        self.lose();
        self.session.connected(version, Instant::now());
    }

    #[track_caller]
    fn daemon(&mut self, expected: &[Json]) {
        check(&mut self.session.to_daemon, expected);
    }

    #[track_caller]
    fn client(&mut self, expected: &[Json]) {
        check(&mut self.session.to_client, expected);
    }
}

#[track_caller]
fn check(outbox: &mut Outbox, expected: &[Json]) {
    assert_eq!(outbox.take(), expected);
}

fn request(id: impl Into<Json>, method: &str) -> Json {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": {} })
}

/// The request as the daemon sees it.
fn keyed(message: &Json, number: u64) -> Json {
    let mut keyed = message.clone();
    keyed["key"] = json!(format!("p-{number}"));
    keyed
}

fn answer(id: impl Into<Json>, result: &Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": id.into(), "result": result })
}

#[test]
fn what_is_in_flight_is_sent_again_in_order_and_under_its_key() {
    let mut talk = Talk::connected();
    let calls: Vec<Json> = (1..=3).map(|id| request(id, "tools/call")).collect();
    for call in &calls {
        talk.say(call);
    }
    talk.daemon(&[keyed(&calls[0], 1), keyed(&calls[1], 2), keyed(&calls[2], 3)]);
    talk.hear(&answer(2, &json!("two")));
    talk.reconnect("1");
    talk.daemon(&[keyed(&calls[0], 1), keyed(&calls[2], 3)]);
    talk.hear(&answer(3, &json!("three")));
    talk.hear(&answer(1, &json!("one")));
    let answers = [answer(2, &json!("two")), answer(3, &json!("three")), answer(1, &json!("one"))];
    talk.client(&answers);
    talk.hear(&answer(1, &json!("again")));
    talk.client(&[]);
    assert!(!talk.session.is_waiting());
    talk.reconnect("1");
    talk.daemon(&[]);
}

#[test]
fn ids_of_another_kind_are_other_ids() {
    let mut talk = Talk::connected();
    let (number, text) = (request(1, "ping"), request("1", "ping"));
    talk.say(&number);
    talk.say(&text);
    talk.daemon(&[keyed(&number, 1), keyed(&text, 2)]);
    talk.hear(&answer("1", &json!({})));
    talk.reconnect("1");
    talk.daemon(&[keyed(&number, 1)]);
    talk.say(&number);
    let refused = &talk.session.to_client.take()[1];
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32000)));
    talk.daemon(&[]);
}

#[test]
fn what_comes_without_a_daemon_waits_for_one() {
    let mut talk = Talk::new();
    let (call, note) = (request(1, "tools/call"), json!({ "jsonrpc": "2.0", "method": "notifications/x" }));
    talk.say(&call);
    talk.say(&note);
    talk.daemon(&[]);
    assert_eq!(talk.session.oldest_loss(), Some(talk.now));
    talk.session.connected("1", Instant::now());
    talk.daemon(&[keyed(&call, 1), note]);
    assert_eq!(talk.session.oldest_loss(), None);
    talk.reconnect("1");
    talk.daemon(&[keyed(&call, 1)]);
}

#[test]
fn a_session_of_an_older_era_begins_again_with_each_daemon() {
    let mut talk = Talk::new();
    let begin = request(0, "initialize");
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let (subscribe, call) = (
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": { "uri": "u" } }),
        request(2, "tools/call"),
    );
    for message in [&begin, &initialized, &subscribe, &call] {
        talk.say(message);
    }
    let all = [keyed(&begin, 1), initialized.clone(), keyed(&subscribe, 2), keyed(&call, 3)];
    for version in ["1", "1"] {
        // The client's own request begins it until that is answered.
        talk.session.connected(version, Instant::now());
        talk.daemon(&all);
        talk.lose();
    }
    talk.session.connected("1", Instant::now());
    talk.daemon(&all);
    let can = json!({ "capabilities": { "tools": { "listChanged": true }, "prompts": { "listChanged": true }, "resources": { "listChanged": true } } });
    talk.hear(&answer(0, &can));
    talk.hear(&answer(1, &json!({})));
    talk.client(&[answer(0, &can), answer(1, &json!({}))]);
    talk.reconnect("1");
    let again = |number: u32| {
        [
            json!({ "jsonrpc": "2.0", "id": format!("p/{number}/initialize"), "method": "initialize", "params": {} }),
            initialized.clone(),
            json!({ "jsonrpc": "2.0", "id": format!("p/{number}/subscribe/0"), "method": "resources/subscribe", "params": { "uri": "u" } }),
            keyed(&call, 3),
        ]
    };
    talk.daemon(&again(4));
    talk.hear(&answer("p/4/initialize", &can));
    talk.hear(&answer("p/4/subscribe/0", &json!({})));
    let resources = json!({ "jsonrpc": "2.0", "method": "notifications/resources/list_changed" });
    let updated =
        json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": { "uri": "u" } });
    talk.client(&[resources.clone(), updated.clone()]);
    talk.reconnect("2");
    talk.daemon(&again(5));
    let built_in =
        |list: &str| json!({ "jsonrpc": "2.0", "method": format!("notifications/{list}/list_changed") });
    talk.client(&[built_in("tools"), built_in("prompts"), resources, updated]);
}

#[test]
fn a_listener_listens_to_whichever_daemon_there_is() {
    let mut talk = Talk::connected();
    let listen = request("l", "subscriptions/listen");
    talk.say(&listen);
    talk.daemon(&[keyed(&listen, 1)]);
    let filter =
        json!({ "toolsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": ["u"] });
    let meta = json!({ again::SUBSCRIPTION: "l" });
    let acknowledged = json!({
        "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
        "params": { "_meta": meta, "notifications": filter },
    });
    talk.hear(&acknowledged);
    // A daemon that leaves ends what only the client can end.
    talk.hear(&answer("l", &json!({ "resultType": "complete" })));
    talk.client(std::slice::from_ref(&acknowledged));
    assert!(!talk.session.is_waiting() && talk.session.is_listening());
    talk.reconnect("1");
    talk.daemon(&[keyed(&listen, 1)]);
    talk.hear(&acknowledged);
    let resources = json!({ "jsonrpc": "2.0", "method": "notifications/resources/list_changed", "params": { "_meta": meta } });
    let updated = json!({
        "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": { "uri": "u", "_meta": meta },
    });
    talk.client(&[resources, updated]);
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "l" } });
    talk.say(&cancel);
    talk.daemon(&[cancel]);
    assert!(!talk.session.is_listening());
}

#[test]
fn a_listener_hears_of_the_lists_that_an_upgrade_changes() {
    let mut talk = Talk::connected();
    talk.say(&request("l", "subscriptions/listen"));
    let meta = json!({ again::SUBSCRIPTION: "l" });
    let filter = json!({ "toolsListChanged": true, "promptsListChanged": true });
    let acknowledged = json!({
        "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
        "params": { "_meta": meta, "notifications": filter },
    });
    talk.hear(&acknowledged);
    talk.client(std::slice::from_ref(&acknowledged));
    // The first daemon of the other version is gone before it says anything.
    talk.reconnect("2");
    talk.reconnect("2");
    talk.client(&[]);
    talk.hear(&acknowledged);
    let changed = |list: &str| {
        let method = format!("notifications/{list}/list_changed");
        json!({ "jsonrpc": "2.0", "method": method, "params": { "_meta": meta } })
    };
    talk.client(&[changed("tools"), changed("prompts")]);
    talk.reconnect("2");
    talk.hear(&acknowledged);
    talk.client(&[]);
}

#[test]
fn only_what_no_daemon_was_asked_for_is_new() {
    let mut talk = Talk::connected();
    let (old, new, listen) =
        (request(1, "tools/call"), request(2, "tools/call"), request(3, "subscriptions/listen"));
    talk.say(&old);
    talk.lose();
    talk.say(&listen);
    assert!(talk.session.is_waiting() && !talk.session.has_new());
    talk.say(&new);
    assert!(talk.session.has_new());
    let why = Refusal::new(Code::Unavailable, "stopped");
    talk.session.give_up_sent(&why);
    let refused = talk.session.to_client.take();
    assert_eq!((refused.len(), &refused[0]["id"]), (1, &json!(1)));
    talk.session.to_daemon.clear();
    talk.session.connected("1", Instant::now());
    talk.daemon(&[keyed(&listen, 2), keyed(&new, 3)]);
    assert!(!talk.session.has_new());
}

#[test]
fn what_waits_for_a_daemon_that_does_not_read_is_bounded() {
    let mut talk = Talk::connected();
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/x", "params": "x".repeat(1 << 20) });
    for _ in 0..31 {
        talk.say(&note);
        assert!(talk.session.can_listen());
    }
    talk.say(&note);
    assert!(!talk.session.can_listen() && talk.session.can_hear());
    talk.session.to_daemon.clear();
    assert!(talk.session.can_listen());
}

#[test]
fn what_is_cancelled_is_not_sent_again_and_what_was_answered_may_be_cancelled() {
    let mut talk = Talk::connected();
    let call = request(1, "tools/call");
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } });
    talk.say(&call);
    talk.say(&cancel);
    talk.say(&cancel);
    talk.daemon(&[keyed(&call, 1), cancel.clone(), cancel.clone()]);
    talk.reconnect("1");
    talk.daemon(&[]);
    talk.lose();
    talk.say(&call);
    talk.say(&cancel);
    talk.session.connected("1", Instant::now());
    talk.daemon(&[]);
}

#[test]
fn what_a_daemon_that_is_gone_asked_is_withdrawn() {
    let mut talk = Talk::connected();
    let ask = request("q", "elicitation/create");
    talk.hear(&ask);
    talk.lose();
    let withdrawn = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": "q", "reason": "the daemon that asked is gone" },
    });
    talk.client(&[ask.clone(), withdrawn]);
    talk.session.connected("1", Instant::now());
    talk.say(&answer("q", &json!({})));
    talk.daemon(&[]);
    talk.hear(&ask);
    talk.say(&answer("q", &json!({})));
    talk.daemon(&[answer("q", &json!({}))]);
}

#[test]
fn who_has_waited_long_is_told_why_and_the_others_go_on_waiting() {
    let mut talk = Talk::new();
    let (old, new, listen) =
        (request(1, "tools/call"), request(2, "tools/call"), request(3, "subscriptions/listen"));
    talk.say(&old);
    talk.say(&listen);
    talk.now += SOON;
    talk.say(&new);
    let why = Refusal::new(Code::Unavailable, "no daemon").hint("start one");
    talk.session.give_up(&why, talk.now, SOON);
    let error = json!({ "code": -32000, "message": "no daemon; start one", "data": why });
    talk.client(&[json!({ "jsonrpc": "2.0", "id": 1, "error": error })]);
    talk.session.connected("1", Instant::now());
    talk.daemon(&[keyed(&listen, 2), keyed(&new, 3)]);
}

#[test]
fn who_had_a_good_connection_in_between_has_waited_only_since_its_loss() {
    const LONG: Duration = Duration::from_secs(31);
    let mut talk = Talk::connected();
    talk.say(&request(1, "tools/call"));
    talk.lose();
    let lost_at = talk.now;
    // One that is lost at once is none.
    talk.now += SOON;
    talk.reconnect("1");
    talk.lose();
    assert_eq!(talk.session.oldest_loss(), Some(lost_at));
    talk.session.connected("1", Instant::now());
    let made_at = talk.now;
    talk.now += LONG;
    talk.session.lost(made_at, talk.now);
    assert_eq!(talk.session.oldest_loss(), Some(talk.now));
    let why = Refusal::new(Code::Unavailable, "no daemon");
    talk.session.give_up(&why, talk.now, LONG);
    talk.client(&[]);
    assert!(talk.session.is_waiting());
}

#[test]
fn what_is_held_is_bounded() {
    let mut talk = Talk::new();
    for id in 0..=FLIGHTS_MAX {
        talk.say(&request(id, "tools/call"));
    }
    let refused = talk.session.to_client.take();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["id"], FLIGHTS_MAX);
    talk.session.connected("1", Instant::now());
    assert_eq!(talk.session.to_daemon.take().len(), FLIGHTS_MAX);
    for id in 0..FLIGHTS_MAX {
        talk.hear(&answer(id, &json!({})));
    }
    assert!(!talk.session.is_full() && talk.session.bytes == 0 && talk.session.flights.is_empty());
}
