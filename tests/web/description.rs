//! The interface is as its OpenAPI description says.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::served::{Response, Server};
use crate::{FORM, PREDICT, assert_works, blank, fixture, form, predict};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../examples/web/openapi.json")).unwrap()
});

/// Asserts that the description has this answer: status, type, headers and content.
pub(crate) fn assert_described(path: &str, method: &str, response: &Response) {
    let operation = &DESCRIPTION["paths"][path][method];
    let described = &operation["responses"][response.status.to_string()];
    assert!(described.is_object(), "{method} {path} {}: not described", response.status);
    let kind = response.header("content-type");
    let content = &described["content"][kind];
    assert!(content.is_object(), "{method} {path} {}: {kind} not described", response.status);
    if kind == "application/json" {
        assert_valid(&content["schema"], &response.json(), path);
    }
    for name in described["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        assert_ne!(response.header(&name.to_ascii_lowercase()), "", "{name}");
    }
}

/// Asserts that a value is what a schema says, in the words of JSON Schema that the
/// description uses; another word in it is an error.
fn assert_valid(schema: &Value, value: &Value, at: &str) {
    for (word, asked) in schema.as_object().unwrap() {
        let right = match word.as_str() {
            "$ref" => {
                let path = asked.as_str().unwrap().trim_start_matches('#');
                assert_valid(DESCRIPTION.pointer(path).unwrap(), value, at);
                true
            }
            "type" => match asked.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                other => panic!("type {other}"),
            },
            "minimum" => value.as_f64() >= asked.as_f64(),
            "maximum" => value.as_f64() <= asked.as_f64(),
            "minItems" => value.as_array().unwrap().len() as u64 >= asked.as_u64().unwrap(),
            "maxItems" => value.as_array().unwrap().len() as u64 <= asked.as_u64().unwrap(),
            "enum" => asked.as_array().unwrap().contains(value),
            "required" => asked
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "additionalProperties" => {
                assert_eq!(asked, false);
                let known = schema["properties"].as_object().unwrap();
                value.as_object().unwrap().keys().all(|name| known.contains_key(name))
            }
            "properties" => {
                for (name, schema) in asked.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        assert_valid(schema, value, &format!("{at}.{name}"));
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().unwrap().iter().enumerate() {
                    assert_valid(asked, value, &format!("{at}[{index}]"));
                }
                true
            }
            "description" => true,
            other => panic!("{at}: the word {other}"),
        };
        assert!(right, "{at}: {word} {asked}, found {value}");
    }
}

#[test]
fn the_description_is_served_and_describes_what_can_be_had() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/api/openapi.json").json(), *DESCRIPTION);
    for (path, methods) in DESCRIPTION["paths"].as_object().unwrap() {
        let has_get = methods.get("get").is_some();
        let response = server.get(path);
        assert_eq!(response.status, if has_get { 200 } else { 405 }, "{path}");
        assert_described(path, if has_get { "get" } else { "post" }, &response);
    }
    assert_eq!(server.get("/api").status, 404);
}

#[test]
fn each_type_of_body_that_is_described_is_taken() {
    let server = Server::start(&[]);
    let content = &DESCRIPTION["paths"][PREDICT]["post"]["requestBody"]["content"];
    let seven = fixture("seven.png");
    for kind in content.as_object().unwrap().keys() {
        let response = match kind.as_str() {
            "image/*" => predict(&server, "image/png", &seven),
            "multipart/form-data" => predict(&server, FORM, &form("picture", "7.png", &seven)),
            "application/json" => {
                let drawing = json!({"strokes": [[[10, 10], [60.5, 10], [30, 90]]]});
                assert_valid(&content[kind]["schema"], &drawing, kind);
                predict(&server, kind, drawing.to_string().as_bytes())
            }
            kind => predict(&server, kind, &seven),
        };
        assert_eq!((response.status, response.json()["digit"].as_u64()), (200, Some(7)), "{kind}");
    }
    // The parameters, each alone.
    let parameters = DESCRIPTION["paths"][PREDICT]["post"]["parameters"].as_array().unwrap();
    for name in parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()) {
        for (value, has) in [("true", true), ("false", false)] {
            let path = format!("{PREDICT}?{name}={value}");
            let response = server.post(&path, "image/png", &seven);
            assert_described(PREDICT, "post", &response);
            assert_eq!(response.json().get(name).is_some(), has, "{path}");
        }
    }
}

#[test]
fn each_status_that_is_described_is_answered() {
    let server = Server::start(&["--body-timeout", "0.2", "--at-once", "2"]);
    let mut seen = vec![
        predict(&server, "image/png", &fixture("seven.png")).status,
        predict(&server, "image/png", b"").status,
        server.get(PREDICT).status,
        predict(&server, "image/png", &vec![0; (8 << 20) + 1]).status,
        predict(&server, "text/plain", b"7").status,
        predict(&server, "image/png", &blank(40, 40)).status,
    ];
    // One client may have one of the two places; a body that does not come keeps it.
    let mut slow = server.connect();
    slow.send(format!("POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"));
    seen.push(crate::limits::until(&server, 429).status);
    let late = slow.response();
    assert_described(PREDICT, "post", &late);
    seen.push(late.status);
    // Others have the other: all of 127.0.0.0/8 is this machine.
    seen.push(crate::limits::busy_status());
    let described = DESCRIPTION["paths"][PREDICT]["post"]["responses"].as_object().unwrap();
    let mut described: Vec<u16> = described.keys().map(|status| status.parse().unwrap()).collect();
    // A mistake of the server's cannot be asked for: see `parts`.
    described.retain(|&status| status != 500);
    seen.sort_unstable();
    assert_eq!(seen, described);
    assert_works(&server);
}
