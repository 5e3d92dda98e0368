//! As much as there is room for, and not more.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use image::{GrayImage, ImageFormat, Luma};

use crate::description::assert_described;
use crate::served::{Connection, Response, Server};
use crate::{PREDICT, assert_refused, assert_works, encoded, fixture};

/// Posts until the answer has this status.
pub(crate) fn until(server: &Server, status: u16) -> Response {
    let start = Instant::now();
    loop {
        let response = server.post(PREDICT, "image/png", &fixture("seven.png"));
        assert_described(PREDICT, "post", &response);
        if response.status == status {
            return response;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{status} did not come");
    }
}

/// Sends the head of a request whose body does not come; the server has begun with it
/// when this returns.
fn hold(connection: &mut Connection) {
    connection.send(format!(
        "POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\
         Expect: 100-continue\r\n\r\n"
    ));
    assert_eq!(connection.response().status, 100);
}

/// What the third client is answered where there are two places.
pub(crate) fn busy_status() -> u16 {
    let server = Server::start(&["--at-once", "2"]);
    let mut first = server.connect();
    hold(&mut first);
    let mut second = Connection::from(other(2), server.address);
    hold(&mut second);
    let mut third = Connection::from(other(3), server.address);
    third.post(PREDICT, "image/png", &fixture("seven.png"));
    let response = third.response();
    drop((first, second));
    until(&server, 200);
    assert_refused(&server, &response, 503, "busy");
    response.status
}

/// Another address of this machine.
fn other(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

#[test]
fn a_client_gets_half_of_the_places_and_others_the_rest() {
    let server = Server::start(&["--at-once", "6"]);
    let mut held: Vec<Connection> = (0..3).map(|_| server.connect()).collect();
    held.iter_mut().for_each(hold);
    let response = server.post(PREDICT, "image/png", &fixture("seven.png"));
    assert_eq!((response.status, response.header("retry-after")), (429, "1"));
    assert_eq!(response.json()["error"], "too_many_requests");
    // The page is still there for it, and everything for others.
    assert_eq!(server.get("/").status, 200);
    let mut another = Connection::from(other(2), server.address);
    another.post(PREDICT, "image/png", &fixture("seven.png"));
    assert_eq!(another.response().status, 200);
    // A place that is given back can be taken again.
    drop(held);
    until(&server, 200);
}

#[test]
fn a_client_gets_half_of_the_connections() {
    let server = Server::start(&[]);
    let mut held: Vec<Connection> = (0..384).map(|_| server.connect()).collect();
    let mut one_more = server.connect();
    one_more.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(one_more.try_response().is_none());
    let mut another = Connection::from(other(2), server.address);
    another.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(another.response().status, 200);
    held.truncate(10);
    let start = Instant::now();
    loop {
        let mut again = server.connect();
        again.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if again.try_response().is_some() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    assert_works(&server);
}

/// Posts the same body on many connections at once.
fn post_at_once(server: &Server, connections: usize, body: &[u8]) -> Vec<Response> {
    let address: SocketAddr = server.address;
    thread::scope(|scope| {
        let post = || {
            let mut connection = Connection::to(address);
            connection.post(PREDICT, "image/png", body);
            connection.response()
        };
        let posts: Vec<_> = (0..connections).map(|_| scope.spawn(post)).collect();
        posts.into_iter().map(|post| post.join().unwrap()).collect()
    })
}

#[test]
fn a_client_gets_half_of_the_places_for_photos() {
    let server = Server::start(&[]);
    let photo = encoded(GrayImage::from_pixel(2000, 2000, Luma([255])), ImageFormat::Png);
    let statuses: Vec<u16> =
        post_at_once(&server, 40, &photo).iter().map(|response| response.status).collect();
    assert!(statuses.contains(&422) && statuses.contains(&429), "{statuses:?}");
    assert!(statuses.iter().all(|status| [422, 429].contains(status)), "{statuses:?}");
    assert_works(&server);
}

#[test]
fn many_uploads_at_once_have_bounded_memory() {
    let server = Server::start(&[]);
    assert_works(&server);
    let before = server.peak_memory();
    // 8 MiB each, which a decoder refuses at once.
    let mut large = vec![0; 8 << 20];
    large[..8].copy_from_slice(b"\x89PNG\r\n\x1a\n");
    for response in post_at_once(&server, 40, &large) {
        assert_described(PREDICT, "post", &response);
        assert!([422, 503].contains(&response.status), "{}", response.status);
    }
    assert_works(&server);
    let bodies = server.peak_memory() - before;
    // 64 MiB of bodies: three times that with what vectors leave behind as they grow.
    assert!(bodies < 192 << 20, "{} MiB", bodies >> 20);

    // A small file, of 16 million pixels: one is decoded at a time.
    let mut paper = GrayImage::from_pixel(4096, 4096, Luma([255]));
    for y in 1000..3000 {
        (2000..2200).for_each(|x| paper.put_pixel(x, y, Luma([0])));
    }
    let paper = encoded(paper, ImageFormat::Png);
    for response in post_at_once(&server, 4, &paper) {
        assert_described(PREDICT, "post", &response);
        assert_eq!((response.status, response.json()["digit"].as_u64()), (200, Some(1)));
    }
    assert_works(&server);
    let pixels = server.peak_memory() - before;
    assert!(pixels < 300 << 20, "{} MiB", pixels >> 20);
}
