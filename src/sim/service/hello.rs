//! Reads what a ClientHello offers, for the services that answer it by hand.

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746, 3.3).
const SIGNAL: [u8; 2] = [0, 0xff];
const RENEGOTIATION_INFO: [u8; 2] = [0xff, 1];

/// A ClientHello; the cookie is there in DTLS only.
pub(super) struct Hello<'a> {
    /// The highest version, as the old field has it.
    pub version: [u8; 2],
    pub cookie: &'a [u8],
    pub compressions: &'a [u8],
    suites: &'a [u8],
    extensions: &'a [u8],
}

/// Which of the two protocols a ClientHello is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Tls,
    Dtls,
}

impl<'a> Hello<'a> {
    /// Reads the body of the message, that is, what follows its handshake header.
    pub fn parse(body: &'a [u8], family: Family) -> Option<Self> {
        let (version, rest) = body.split_first_chunk::<2>()?;
        let (_random, rest) = rest.split_at_checked(32)?;
        let (_session, rest) = short_vector(rest)?;
        let (cookie, rest) = match family {
            Family::Tls => (&[][..], rest),
            Family::Dtls => short_vector(rest)?,
        };
        let (suites, rest) = vector(rest)?;
        let (compressions, rest) = short_vector(rest)?;
        let extensions = vector(rest).map_or(&[][..], |(extensions, _)| extensions);
        Some(Self { version: *version, cookie, compressions, suites, extensions })
    }

    pub fn offers(&self, suite: [u8; 2]) -> bool {
        self.suites.chunks_exact(2).any(|offered| offered == suite)
    }

    /// The extensions of a ServerHello: an empty renegotiation_info for a client that asks, without which current clients
    /// leave.
    pub fn extensions_to_answer(&self) -> &'static [u8] {
        if self.offers(SIGNAL) || self.has_extension(RENEGOTIATION_INFO) { &[0, 5, 0xff, 1, 0, 1, 0] } else { &[] }
    }

    pub fn has_extension(&self, wanted: [u8; 2]) -> bool {
        let mut rest = self.extensions;
        while let Some((kind, after)) = rest.split_first_chunk::<2>() {
            if *kind == wanted {
                return true;
            }
            let Some((_, after)) = vector(after) else { return false };
            rest = after;
        }
        false
    }
}

fn short_vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked((*length).into())
}

fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}
