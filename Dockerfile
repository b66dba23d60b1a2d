# The image of the agent and of the directory, for linux/amd64 and linux/arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --tag registry.example.com/meshtoll:0.1.0 --push .
# No USER: a container runtime gives CAP_NET_ADMIN to uid 0 only; what needs no privilege runs as uid 65532 by the chart.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# On the machine that builds: nothing of it is of an architecture but koffi's native part, which comes built.
FROM --platform=$BUILDPLATFORM $NODE_IMAGE AS build
WORKDIR /build/checkout
COPY package.json package-lock.json LICENSE ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/image.js ./scripts/
COPY src ./src
ARG TARGETARCH
RUN node scripts/image.js ../image $TARGETARCH

FROM $NODE_IMAGE
WORKDIR /app
# One heap of malloc for all threads: of their own they keep what they once needed: some 4 MB.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
COPY --from=build /build/image ./
ENTRYPOINT ["node", "dist/main.js"]
