//! A management controller that speaks Redfish.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A server that gives each caller what `answer` makes of the request, and tells the requests.
pub(crate) fn server(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/redfish/v1/Chassis/1/EnvironmentMetrics", listener.local_addr().unwrap());
    let (requests, seen) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            answer(&request, &mut stream);
            if requests.send(request).is_err() {
                return;
            }
        }
    });
    (url, seen)
}

/// Answers with a status and a body.
pub(crate) fn respond(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // A client that has heard enough hangs up.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}
