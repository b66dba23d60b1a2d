# The image of the agent. No USER: a container runtime gives CAP_NET_ADMIN to uid 0 only; the chart's mode reduced runs as uid 65532.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Types only, in the end: valibot names the compiler as an optional peer, which npm then keeps.
RUN npm ci --omit=dev && rm -r node_modules/typescript node_modules/.bin

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
ENTRYPOINT ["node", "dist/main.js"]
