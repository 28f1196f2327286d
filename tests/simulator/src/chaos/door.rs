//! The door that connections come in by, plain or over TLS, so that one can be counted, and reset from where its request is answered.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::log::RequestLog;

/// Listens, and gives each connection a [`Cutter`].
pub struct Door {
    /// What is listened on.
    pub listener: TcpListener,
    /// The server's side of TLS, where it is served.
    pub tls: Option<TlsAcceptor>,
    /// Where connections are counted.
    pub log: RequestLog,
}

/// Resets the connection that it belongs to, and tells its number. Clones belong to the same one.
#[derive(Clone, Debug, Default)]
pub struct Cutter {
    reset: Arc<AtomicBool>,
    number: u64,
}

/// A connection that can be reset.
pub struct Connection {
    stream: Stream,
    cutter: Cutter,
}

/// What goes over the wire. A handshake is made where the first byte is read, so that a slow one holds nobody up.
enum Stream {
    Plain(TcpStream),
    Shaking(Box<Accept<TcpStream>>),
    Secure(Box<TlsStream<TcpStream>>),
    /// The handshake failed.
    Over,
}

impl Cutter {
    /// Lets nothing more be written: the connection ends with a reset in place of an end.
    pub fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// The number of the TCP connection, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Best effort: without it small replies wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => Stream::Shaking(Box::new(tls.accept(stream))),
        };
        let connection = Connection {
            stream,
            cutter: Cutter {
                number: self.log.connected(),
                ..Cutter::default()
            },
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().cutter.clone()
    }
}

/// A stream of bytes that is there.
trait Ready: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Ready for T {}

impl Connection {
    fn whole(&self) -> io::Result<()> {
        match self.cutter.is_reset() {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }

    /// The stream behind the handshake, once that is made.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Ready>>> {
        self.whole()?;
        if let Stream::Shaking(shaking) = &mut self.stream {
            match ready!(Pin::new(shaking.as_mut()).poll(context)) {
                Ok(stream) => self.stream = Stream::Secure(Box::new(stream)),
                Err(error) => {
                    self.stream = Stream::Over;
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(match &mut self.stream {
            Stream::Plain(stream) => Ok(Pin::new(stream)),
            Stream::Secure(stream) => Ok(Pin::new(stream.as_mut())),
            Stream::Shaking(_) | Stream::Over => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.cutter.is_reset() {
            // Closing without lingering discards what is not sent and sends a reset. If that is refused, the client sees an
            // early end, which is the same fault in other words.
            let stream = match &self.stream {
                Stream::Plain(stream) => Some(stream),
                Stream::Shaking(shaking) => shaking.get_ref(),
                Stream::Secure(stream) => Some(stream.get_ref().0),
                Stream::Over => None,
            };
            let _ = stream.map(TcpStream::set_zero_linger);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_ready(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_ready(context))?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_ready(context))?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            // Both kinds of stream over TLS take several slices.
            Stream::Shaking(_) | Stream::Secure(_) | Stream::Over => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_ready(context))?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A shutdown would end the connection in good order, where it is not reset.
        ready!(self.get_mut().poll_ready(context))?.poll_shutdown(context)
    }
}
