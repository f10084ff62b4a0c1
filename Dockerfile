# The service as one folder: bundled, with what has native code, and nothing else.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json esbuild.config.ts ./
COPY drizzle drizzle
COPY src src
RUN npm run bundle

FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=build /build/dist ./
RUN mkdir /data && chown node:node /data
USER node
# The settings are in the README. DATABASE_URL is needed: there is no Postgres in here.
ENV HOST=0.0.0.0 PORT=4000 DATA_DIR=/data MALLOC_ARENA_MAX=2 NODE_ENV=production
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# As the npm scripts have it. No shell and no npm in between, so that SIGTERM reaches the service.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--initial-old-space-size=128", "main.js"]
CMD ["serve"]
