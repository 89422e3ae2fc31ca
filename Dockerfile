# docker build -t vicregd .
# docker run --restart unless-stopped -p 127.0.0.1:8080:8080 -v vicregd:/data vicregd

FROM swift:6.3.1-bookworm AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends pkg-config libsqlite3-dev libssl-dev zlib1g-dev \
    libarchive-dev libpng-dev libjpeg62-turbo-dev libwebp-dev \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product vicregd \
  && install -s "$(swift build -c release --static-swift-stdlib --show-bin-path)/vicregd" /usr/local/bin/vicregd

FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    libssl3 libsqlite3-0 zlib1g libarchive13 libpng16-16 libjpeg62-turbo libwebp7 libwebpdemux2 \
    libstdc++6 curl dataset-fashion-mnist libjs-dygraphs \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin vicregd \
  && install -d -o vicregd -g vicregd /data
COPY --from=build /usr/local/bin/vicregd /usr/local/bin/vicregd
COPY Public /usr/share/vicregd/Public
COPY migrations /usr/share/vicregd/migrations
USER vicregd
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=2s \
  CMD curl -fsS http://127.0.0.1:8080/readyz || exit 1
STOPSIGNAL SIGTERM
ENTRYPOINT ["vicregd"]
# A container listens on all of its addresses, so requests need a token. The first start with an empty /data creates
# one and prints the address that signs in with it, once (`docker logs`); later starts find it in /data. More tokens:
# `docker exec CONTAINER vicregd token create --name NAME --data /data`. Publish the port on the host's loopback
# address, as in the line at the top, unless TLS is set up: without TLS a token can be read on the network.
CMD ["serve", "--host", "0.0.0.0", "--data", "/data", "--create-token"]
