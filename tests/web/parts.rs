//! Parts of the server, alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::middleware::from_fn;
use axum::routing::get;
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::around::around;
use crate::base64::base64;
use crate::places::{Full, Places};
use crate::pool::{Panicked, Pool};
use crate::timestamp::timestamp;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_panic_in_a_job_leaves_its_thread_and_the_others() {
    let pool = Pool::start("test", 1).unwrap();
    block_on(async {
        for _ in 0..3 {
            let panicking: Result<(), _> = pool.run(|| panic!("of the test")).await;
            assert_eq!(panicking, Err(Panicked));
            assert_eq!(pool.run(|| 6 * 7).await, Ok(42));
        }
    });
}

#[test]
fn jobs_run_beside_each_other() {
    let pool = Pool::start("test", 2).unwrap();
    let both = Arc::new(std::sync::Barrier::new(2));
    let meet = |both: &Arc<std::sync::Barrier>| {
        let both = Arc::clone(both);
        pool.run(move || {
            both.wait();
        })
    };
    let (one, other) = block_on(async { tokio::join!(meet(&both), meet(&both)) });
    assert_eq!((one, other), (Ok(()), Ok(())));
}

#[test]
fn a_panic_in_a_request_is_answered_and_the_next_request_works() {
    let panic = || async {
        if true {
            panic!("of the test")
        }
    };
    let router = Router::new()
        .route("/panic", get(panic))
        .route("/", get(|| async { "works" }))
        .layer(from_fn(around));
    let service = TowerToHyperService::new(router);
    let ask = |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        block_on(async {
            let response = service.call(request).await.unwrap();
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(body.to_vec()).unwrap())
        })
    };
    let (status, body) = ask("/panic");
    assert!(status == 500 && body.contains("\"error\":\"internal\""), "{status} {body}");
    assert_eq!(ask("/"), (200, "works".to_owned()));
}

#[test]
fn places_are_counted_by_client_and_given_back() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let places = Places::new(4);
    let one = [(); 2].map(|()| places.take(address("10.0.0.1")).unwrap());
    assert_eq!(places.take(address("10.0.0.1")).unwrap_err(), Full::ForClient);
    assert_eq!(places.take(address("::ffff:10.0.0.1")).unwrap_err(), Full::ForClient);
    // A household has a /64.
    let other = places.take(address("2001:db8::1")).unwrap();
    let another = places.take(address("2001:db8::2:1")).unwrap();
    assert_eq!(places.take(address("2001:db8:0:1::1")).unwrap_err(), Full::ForAll);
    drop(one);
    assert_eq!(places.take(address("2001:db8::3")).unwrap_err(), Full::ForClient);
    drop((other, another));
    assert!(places.take(address("2001:db8::3")).is_ok());
}

#[test]
fn base64_is_that_of_the_rfc() {
    // RFC 4648, section 10.
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
    assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
}

#[test]
fn timestamps_are_those_of_the_calendar() {
    // As `date --utc --date=@…` has them.
    for (milliseconds, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_709_164_800_007, "2024-02-29T00:00:00.007Z"),
        (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] {
        assert_eq!(timestamp(UNIX_EPOCH + Duration::from_millis(milliseconds)), text);
    }
}
