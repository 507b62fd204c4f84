//! Again: what a client is told when another daemon answers, so that it looks at what it may have missed.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::client::proxy::handshake::Handshake;
use crate::client::proxy::message;
use crate::client::proxy::outbox::Outbox;

/// Where a notification names the subscription it belongs to.
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The lists that are part of the program, and change only with it.
const BUILT_IN: [(&str, &str); 2] = [("tools", "toolsListChanged"), ("prompts", "promptsListChanged")];

/// Tells a client of the older eras.
pub(super) fn to_older(
    handshake: &Handshake,
    subscriptions: &BTreeSet<String>,
    is_upgraded: bool,
    to_client: &mut Outbox,
) {
    let built_in = BUILT_IN.iter().map(|(list, _)| *list).filter(|_| is_upgraded);
    for list in built_in.chain(["resources"]).filter(|list| handshake.promises(list)) {
        to_client.push(message::notification(&changed(list), &Json::Null));
    }
    for uri in subscriptions {
        to_client.push(message::notification("notifications/resources/updated", &json!({ "uri": uri })));
    }
}

/// Tells a listener what it listens to, by the acknowledgment of the other daemon.
pub(super) fn to_listener(acknowledged: &Json, is_upgraded: bool, to_client: &mut Outbox) {
    let (meta, filter) = (&acknowledged["_meta"], &acknowledged["notifications"]);
    let tag = json!({ SUBSCRIPTION: meta[SUBSCRIPTION] });
    let built_in = BUILT_IN.iter().filter(|_| is_upgraded);
    for (list, wanted) in built_in.chain(&[("resources", "resourcesListChanged")]) {
        if filter[*wanted] == true {
            to_client.push(message::notification(&changed(list), &json!({ "_meta": tag })));
        }
    }
    for uri in filter["resourceSubscriptions"].as_array().into_iter().flatten() {
        let params = json!({ "uri": uri, "_meta": tag });
        to_client.push(message::notification("notifications/resources/updated", &params));
    }
}

/// Withdraws a request of a daemon that is gone; the next one asks anew when it still wants to know.
pub(super) fn withdraw(id: &Json, to_client: &mut Outbox) {
    let params = json!({ "requestId": id, "reason": "the daemon that asked is gone" });
    to_client.push(message::notification("notifications/cancelled", &params));
}

fn changed(list: &str) -> String {
    format!("notifications/{list}/list_changed")
}
